//! Repeated slashes.

use crate::destination::{own_paths, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/double_slashes",
    claim: "repeated slashes count as one when the route is chosen",
    why: "base URLs that end in a slash make `//v0/management/usage` (litellm#8350 and many more): the panel must still find its program",
    asks: "client ── GET //health, /v0//management/usage ──▶ candidate ──▶ the owner of the merged path",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[UNMERGED],
    breaks: &[Break::new("no_slash_merging", UNMERGED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNMERGED: Code = Code::new(
    "routes.double_slashes_misrouted",
    "a doubled slash changes which upstream gets a path",
    "clients whose base URL ends in a slash reach the wrong program",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let targets = own_paths(ask).into_iter().flat_map(|path| {
        let inner = path.replace('/', "//");
        [format!("/{path}"), format!("//{path}"), inner]
    });
    reach_their_owners(ask, checks, targets, UNMERGED).await
}
