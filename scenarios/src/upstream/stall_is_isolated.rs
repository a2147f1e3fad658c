//! An upstream that does not answer one request.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/stall_is_isolated",
    claim: "a request that gets no answer holds up no other",
    why: "CPA says nothing before its provider does; a proxy with one connection or worker for all stands still meanwhile",
    asks: "cpa never answers request A; client ── request B ──▶ candidate ──▶ answered",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa")],
    stage: StageUse::Shared,
    findings: &[HELD_UP],
    breaks: &[Break::new("serial_upstream", HELD_UP.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD_UP: Code = Code::new(
    "upstream.stall_spreads",
    "a request without an answer holds up others",
    "one thinking model stops everybody",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let stalled = ask.get("/v1/models");
    ask.cpa()
        .script(stalled.probe_id(), Script::new().until_peer_gone());
    let waiting = ask.client().connect().await?;
    let _unanswered = waiting.open(&stalled).await?;
    // Only once it waits at the upstream does it hold anything.
    let arrived = ask
        .ledger()
        .arrival(stalled.probe_id(), Patience::ANSWER.scaled())
        .await;
    if arrived.is_none() {
        // Others are under way on this stage: it waits behind one of them.
        let finding = HELD_UP.finding().subject("GET /v1/models");
        let finding = finding.expected("the request at cpa, whatever else waits there");
        checks.push(finding.observed("it did not arrive while others were under way"));
        return Ok(());
    }
    let request = ask.get("/v1/models");
    ask.cpa().script(
        request.probe_id(),
        Script::new().reply(200, "text/plain", "cpa"),
    );
    let other = ask.client().connect().await?;
    let mut quick = other.open(&request).await?.patience(Patience::LOCK_STEP);
    checks.head_comes(ask, &mut quick, HELD_UP).await;
    Ok(())
}
