//! A reload while a stream is open.

use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::Gate;

use crate::answer::answered;
use crate::begun_stream::BegunStream;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "lifecycle/reload_keeps_streams",
    claim: "a stream that is open when the configuration is reloaded goes on to its end",
    why: "certificates and routes change while somebody's turn has been running for minutes",
    asks: "upstream ── event 1; reload; new requests are served; upstream ── event 2, 3 ──▶ the same client",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::Reload],
    site: &[
        SiteNeed::Endpoint(Purpose::Plain),
        SiteNeed::Endpoint(Purpose::Stream),
    ],
    stage: StageUse::Own(|stage| stage),
    findings: &[CUT],
    breaks: &[Break::new("drop_on_reload", CUT.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CUT: Code = Code::new(
    "lifecycle.reload_cuts_streams",
    "a reload cuts a running stream",
    "every change of the configuration breaks every running turn",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let gate = Gate::new();
    let stream = BegunStream::open(ask, |begun| begun.gate(&gate).event("2").last_chunk());
    let mut stream = stream.await?;
    ask.stage().reload_and_wait().await?;
    for _ in 0..REQUESTS {
        answered(ask, ask.plain()).await?;
    }
    gate.open(1);
    // What went wrong is told by the exchange itself.
    let _ = stream.exchange.whole().await;
    let seen = ask.observe(&stream.exchange).await;
    checks.answer_body(&seen, b"data: 1\n\ndata: 2\n\n", CUT);
    Ok(())
}

/// Whoever serves the new configuration has been asked by then.
const REQUESTS: usize = 10;
