//! Path parameters.

use crate::destination::{own_paths, prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/semicolon_is_ordinary",
    claim: "a semicolon is an ordinary character of a path: no program behind the proxy strips path parameters",
    why: "`/usage-service/..;/v0/management/config` is the classic way around a proxy that treats `..;` as a dot segment, or a program that does",
    asks: "client ── GET /usage-service/..;/v0/management/config ──▶ candidate ──▶ the owner of /usage-service/",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
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

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let own = own_paths(ask);
    let inside = own.iter().flat_map(|path| {
        let last = path.trim_end_matches('/').rfind('/').filter(|at| *at > 0);
        let inner = last.map(|at| format!("{};x{}", &path[..at], &path[at..]));
        [format!("{path};x=1")].into_iter().chain(inner)
    });
    let last = own.last();
    // The classic way from a prefix that is open to one that is not.
    let climbing = prefixes(ask).into_iter();
    let climbing = climbing.filter_map(|prefix| Some(format!("{prefix}..;{}", last?)));
    let targets: Vec<String> = inside.chain(climbing).collect();
    reach_their_owners(ask, checks, targets, PARAMETER).await
}
