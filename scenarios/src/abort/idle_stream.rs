//! A client that leaves a silent stream.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, EventFraming, Script};

use crate::lock_step::streaming_request;

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
    let request = streaming_request(ask);
    let script = Script::new()
        .read_body()
        .sse_head(EventFraming::Chunked)
        .event("1")
        .until_peer_gone();
    ask.script(&request, script);
    let connection = ask.client().connect().await?;
    let stream = connection.open(&request).await?;
    let mut stream = stream.patience(Patience::LOCK_STEP);
    // Whether events come one by one is another scenario's: one that does not come is waited out.
    let _ = stream.next().await;
    drop(stream);
    drop(connection);
    // Through the front a clean end is noticed a second later: the tunnel server's own timer.
    let within = Patience::SETTLE;
    let gone = |arrivals: &[Arrival]| {
        arrivals
            .first()
            .and_then(|arrival| arrival.peer_gone.map(|_| ()))
    };
    let noticed = ask
        .ledger()
        .until(request.probe_id(), within.scaled(), gone)
        .await;
    if noticed.is_none() {
        let finding = UNNOTICED
            .finding()
            .expected("the upstream's connection ends when the client's does");
        checks.push(finding.observed(format!("it was still open {:?} later", within.scaled())));
    }
    Ok(())
}
