//! A client that leaves before the answer.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "abort/before_answer",
    claim: "an upstream that has not answered yet is told when the client is gone",
    why: "the gateway goes on generating, and paying, for nobody (librefang#3690)",
    asks: "client ── POST, then closes; upstream (silent) ──▶ sees its connection end",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[UNNOTICED],
    breaks: &[Break::new("ignore_client_abort", UNNOTICED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNNOTICED: Code = Code::new(
    "abort.unnoticed_before_answer",
    "an upstream that has not answered is not told that the client is gone",
    "abandoned completions run to their end and are paid for",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.completion().body("{}");
    ask.script(&request, Script::new().read_body().until_peer_gone());
    let connection = ask.client().connect().await?;
    let waiting = connection.open(&request).await?;
    // Only what has arrived can be abandoned; without its whole body it would be a broken upload.
    let arrived = |arrivals: &[Arrival]| arrivals.first()?.body.complete.then_some(());
    let _ = ask
        .ledger()
        .until(request.probe_id(), Patience::ANSWER.scaled(), arrived)
        .await;
    drop(waiting);
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
