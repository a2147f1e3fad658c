//! Long request targets.

use crate::answer::answered;
use crate::destination::upstream_target;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/long_target",
    claim: "a request target of 4 KiB passes",
    why: "the panel and OAuth callbacks put state into the query; proxies with small buffers answer 414 (RFC 9110 section 4.1 recommends 8000 octets)",
    asks: "client ── GET {plain}?state=… (4096 bytes) ──▶ candidate ── the same target ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[TOO_LONG],
    breaks: &[Break::new("small_request_head", TOO_LONG.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const TOO_LONG: Code = Code::new(
    "routes.long_target_refused",
    "a request target of 4 KiB is refused or changed",
    "sign-in callbacks fail with 414",
);

/// Bytes of the whole target.
const LENGTH: usize = 4096;

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let plain = ask.endpoint(Purpose::Plain).target;
    let state = "a".repeat(LENGTH.saturating_sub(plain.len() + "?state=".len()));
    let request = ask.plain_with(&format!("state={state}"));
    let target = upstream_target(ask, &request);
    let seen = answered(ask, request).await?;
    if checks.arrived_once(&seen, TOO_LONG).is_some() {
        checks.target(&seen, &target, TOO_LONG);
    }
    Ok(())
}
