//! Paths in other letter cases.

use crate::destination::{exact_paths, prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/case_matters",
    claim: "paths are compared with regard to case (RFC 3986 section 6.2.2.1 folds scheme and host only)",
    why: "CPA and the usage service answer 404 for `/HEALTH`; a proxy that folds case hides that until somebody changes the proxy",
    asks: "client ── GET /HEALTH, /Usage-Service/x ──▶ candidate ──▶ the owner of the root",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[CASE_FOLDED],
    breaks: &[Break::new("ignore_path_case", CASE_FOLDED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CASE_FOLDED: Code = Code::new(
    "routes.case_ignored",
    "letter case does not matter to the route",
    "the proxy routes paths that the programs themselves do not know",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let paths = exact_paths(ask).into_iter().chain(prefixes(ask));
    reach_their_owners(
        ask,
        checks,
        paths.map(|path| path.to_uppercase()),
        CASE_FOLDED,
    )
    .await
}
