//! An upstream that does not answer one request.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/stall_is_isolated",
    claim: "a request that gets no answer holds up no other",
    why: "CPA says nothing before its provider does; a proxy with one connection or worker for all stands still meanwhile",
    asks: "upstream never answers request A; client ── request B ──▶ candidate ──▶ answered",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
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
    let stalled = ask.plain();
    ask.script(&stalled, Script::new().until_peer_gone());
    let waiting = ask.client().connect().await?;
    let _unanswered = waiting.open(&stalled).await?;
    // Only once it waits at the upstream does it hold anything.
    let arrived = ask
        .ledger()
        .arrival(stalled.probe_id(), Patience::ANSWER.scaled())
        .await;
    if arrived.is_none() {
        // Others are under way on this stage: it waits behind one of them.
        let finding = HELD_UP.finding().subject("a plain request");
        let finding = finding.expected("the request at its upstream, whatever else waits there");
        checks.push(finding.observed("it did not arrive while others were under way"));
        return Ok(());
    }
    let request = ask.plain();
    ask.script(&request, Script::new().reply(200, "text/plain", "answer"));
    let other = ask.client().connect().await?;
    let mut quick = other.open(&request).await?.patience(Patience::LOCK_STEP);
    checks.head_comes(ask, &mut quick, HELD_UP).await;
    Ok(())
}
