//! An upstream that does not answer one request.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::held_request::is_held;

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
    if !is_held(ask, checks, &stalled, HELD_UP).await {
        return Ok(());
    }
    let request = ask.plain();
    ask.script(&request, Script::new().reply(200, "text/plain", "answer"));
    let other = ask.client().connect().await?;
    let mut quick = other.open(&request).await?.patience(Patience::LOCK_STEP);
    checks.head_comes(ask, &mut quick, HELD_UP).await;
    Ok(())
}
