//! Dot segments, plain and escaped.

use crate::destination::reach_their_owners;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/dot_segments",
    claim: "dot segments are resolved before the route is chosen (RFC 3986 section 5.2.4)",
    why: "`/v0/management/usage/../config` must not slip past a rule for `/v0/management/` by starting with something harmless",
    asks: "client ── GET /x/../health, /v0/management/usage/%2e%2e/config ──▶ candidate ──▶ the owner of the resolved path",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[UNRESOLVED],
    breaks: &[Break::new("no_dot_resolving", UNRESOLVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNRESOLVED: Code = Code::new(
    "routes.dot_segments_unresolved",
    "dot segments change which upstream gets a path",
    "a path is one program's to the proxy and another's by its meaning",
);

const TARGETS: [&str; 8] = [
    "/./health",
    "/x/../health",
    "/x/%2e%2e/health",
    "/x/%2E%2E/health?y=1",
    "/v0/management/usage/../config",
    "/v0/management/usage/%2e%2e/config",
    "/v0/management/config/../usage",
    "/usage-service/../v1/models",
];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    reach_their_owners(ask, checks, TARGETS, UNRESOLVED).await
}
