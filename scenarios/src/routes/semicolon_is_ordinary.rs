//! Path parameters.

use crate::destination::reach_their_owners;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/semicolon_is_ordinary",
    claim: "a semicolon is an ordinary character of a path: no program behind the proxy strips path parameters",
    why: "`/usage-service/..;/v0/management/config` is the classic way around a proxy that treats `..;` as a dot segment, or a program that does",
    asks: "client ── GET /usage-service/..;/v0/management/config ──▶ candidate ──▶ the owner of /usage-service/",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[PARAMETER],
    breaks: &[Break::new("strip_path_parameters", PARAMETER.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const PARAMETER: Code = Code::new(
    "routes.semicolon_special",
    "a semicolon changes which upstream gets a path",
    "a rule for one prefix is passed with another's",
);

const TARGETS: [&str; 4] = [
    "/usage-service/..;/v0/management/config",
    "/health;x=1",
    "/v0/management;x/usage",
    "/v0/management/usage;x",
];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    reach_their_owners(ask, checks, TARGETS, PARAMETER).await
}
