//! Requests that ask for no upgrade.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "websocket/plain_requests_stay_plain",
    claim: "a request without Upgrade reaches the upstream without one",
    why: "a constant `Connection: upgrade` breaks ordinary requests (Ombi#2881)",
    asks: "client ── POST ──▶ candidate ── no Upgrade, no Connection: upgrade ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[ADDED],
    breaks: &[Break::new("upgrade_always", ADDED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const ADDED: Code = Code::new(
    "websocket.upgrade_added",
    "a plain request asks the upstream for an upgrade",
    "programs answer 400 or 426 to ordinary requests",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let seen = answered(ask, ask.completion().body("{}")).await?;
    checks.no_field(&seen, "Upgrade", ADDED);
    checks.field_where(
        &seen,
        "Connection",
        "no Connection: upgrade",
        ADDED,
        |found| {
            !found
                .iter()
                .any(|value| value.to_ascii_lowercase().contains("upgrade"))
        },
    );
    Ok(())
}
