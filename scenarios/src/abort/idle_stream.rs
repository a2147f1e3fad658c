//! A client that leaves a silent stream.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Script};

use crate::begun_stream::BegunStream;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "abort/idle_stream",
    claim: "an upstream whose stream is silent is told when the client is gone",
    why: "most of a turn is silence: a proxy that only notices at the next write keeps the model thinking for nobody",
    asks: "upstream ── head, one event, silence; client closes ──▶ upstream sees its connection end",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[UNNOTICED],
    breaks: &[Break::new("ignore_stream_abort", UNNOTICED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNNOTICED: Code = Code::new(
    "abort.unnoticed_while_idle",
    "an upstream with a silent stream is not told that the client is gone",
    "abandoned turns run to their end and are paid for",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let stream = BegunStream::open(ask, Script::until_peer_gone).await?;
    let probe = stream.request.probe_id();
    drop(stream);
    // Through the front a clean end is noticed a second later: the tunnel server's own timer.
    let within = Patience::SETTLE;
    let gone = |arrivals: &[Arrival]| {
        arrivals
            .first()
            .and_then(|arrival| arrival.peer_gone.map(|_| ()))
    };
    let noticed = ask.ledger().until(probe, within.scaled(), gone).await;
    if noticed.is_none() {
        let finding = UNNOTICED
            .finding()
            .expected("the upstream's connection ends when the client's does");
        checks.push(finding.observed(format!("it was still open {:?} later", within.scaled())));
    }
    Ok(())
}
