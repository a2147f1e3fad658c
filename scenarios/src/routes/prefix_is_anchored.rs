//! A prefix further down the path.

use crate::destination::{prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/prefix_is_anchored",
    claim: "a prefix matches at the start of the path only, and ends at its slash",
    why: "`/v1/usage-service/x` is no business of the usage service",
    asks: "client ── GET /x/usage-service/y, /usage-servicex ──▶ candidate ──▶ the owner of the root",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::PrefixRoute],
    stage: StageUse::Shared,
    findings: &[UNANCHORED],
    breaks: &[Break::new("look_alike_prefix", UNANCHORED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNANCHORED: Code = Code::new(
    "routes.prefix_not_anchored",
    "a prefix takes a path that it does not begin",
    "a program gets requests that are another's, with their keys",
);

fn elsewhere(prefix: &str) -> [String; 3] {
    let bare = prefix.trim_end_matches('/');
    [
        format!("/x{prefix}y"),
        format!("{bare}x/y"),
        format!("{bare}-x"),
    ]
}

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let targets = prefixes(ask)
        .into_iter()
        .flat_map(|prefix| elsewhere(&prefix));
    reach_their_owners(ask, checks, targets, UNANCHORED).await
}
