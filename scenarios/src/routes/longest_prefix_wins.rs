//! Prefixes inside prefixes.

use crate::destination::{exact_paths, prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/longest_prefix_wins",
    claim: "of all prefixes that match, the longest wins, in whatever order they stand",
    why: "`/v0/management/usage/export` lies under `/v0/management/` too: the shorter prefix would ask CPA for a path that it does not have",
    asks: "client ── GET /v0/management/usage/export, /v0/management/usage-queue, … ──▶ candidate ──▶ the owner of the longest",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::PrefixRoute],
    stage: StageUse::Shared,
    findings: &[SHORTER_WON],
    breaks: &[Break::new("first_prefix_wins", SHORTER_WON.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SHORTER_WON: Code = Code::new(
    "routes.shorter_prefix_won",
    "a shorter prefix takes what a longer one should",
    "statistics, export or prices end in a 404 of the gateway",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let below = prefixes(ask).into_iter().flat_map(|prefix| {
        let name = prefix.trim_end_matches('/').to_owned();
        [
            prefix.clone(),
            format!("{prefix}export"),
            format!("{name}x"),
            format!("{name}-queue"),
        ]
    });
    let exact = exact_paths(ask).into_iter();
    let beside = exact.flat_map(|path| [format!("{path}/x"), format!("{path}x"), path]);
    reach_their_owners(ask, checks, below.chain(beside), SHORTER_WON).await
}
