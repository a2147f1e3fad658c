//! A graceful stop while a stream is open.

use std::time::Duration;

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_harness::{Feature, Patience};
use proxyproof_mocks::Gate;

use crate::begun_stream::BegunStream;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "lifecycle/stop_drains",
    claim: "a stream that is open when the proxy is told to stop goes on to its end, and then the proxy ends",
    why: "an update of the proxy should not cost anybody a turn",
    asks: "upstream ── event 1; the candidate is told to drain; upstream ── event 2 ──▶ the same client; the candidate ends",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::Drain],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Own(|stage| stage),
    findings: &[CUT, STAYS],
    breaks: &[
        Break::new("drop_on_terminate", CUT.name),
        Break::new("ignore_terminate", STAYS.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CUT: Code = Code::new(
    "lifecycle.stop_cuts_streams",
    "a graceful stop cuts a running stream",
    "every update of the proxy breaks every running turn",
);

const STAYS: Code = Code::new(
    "lifecycle.stop_never_ends",
    "a proxy that was told to stop stays though all its clients have left",
    "an update waits for its time limit, and then everything is cut after all",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let gate = Gate::new();
    let stream = BegunStream::open(ask, |begun| begun.gate(&gate).event("2").last_chunk());
    let mut stream = stream.await?;
    ask.stage().dismiss();
    // The listener closes when the candidate has understood; what it cuts, it has cut by then.
    let closed = || async {
        let connected = ask.client().connect().await;
        connected.map_or(Ok(()), |_| Err("it still takes connections".to_owned()))
    };
    // HAProxy's master keeps it open.
    let _ = BEGUN.eventually("the listener to close", closed).await;
    gate.open(1);
    // What went wrong is told by the exchange itself.
    let _ = stream.exchange.whole().await;
    let seen = ask.observe(&stream.exchange).await;
    if !checks.answer_body(&seen, b"data: 1\n\ndata: 2\n\n", CUT) {
        return Ok(());
    }
    // A server may wait for its client to close, for some seconds.
    drop(stream);
    let ended = Patience::SETTLE.within("the proxy's end", ask.stage().ended());
    let ended = ended.await.is_ok();
    checks.ensure(ended, || {
        let finding = STAYS.finding().expected("the proxy ends");
        let later = Patience::SETTLE.scaled();
        finding.observed(format!("it was still there {later:?} later"))
    });
    Ok(())
}

/// Until a proxy that was told to stop has begun with it.
const BEGUN: Patience = Patience::new("drain begun", Duration::from_millis(500));
