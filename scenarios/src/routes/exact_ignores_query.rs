//! An exact location and a query.

use crate::destination::{exact_paths, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/exact_ignores_query",
    claim: "an exact location matches whatever the query says",
    why: "a dashboard that asks `/status?fresh=1` gets the gateway's 404 where the query takes part in the match",
    asks: "client ── GET /status?a=1 ──▶ candidate ──▶ the owner of /status",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::ExactRoute],
    stage: StageUse::Shared,
    findings: &[QUERY_MATCHED],
    breaks: &[Break::new("query_breaks_exact", QUERY_MATCHED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const QUERY_MATCHED: Code = Code::new(
    "routes.query_changes_route",
    "a query changes which upstream gets the request",
    "a link with a query lands on another program than the same link without",
);

/// Queries with what could be mistaken for a path: slashes, dots, a second question mark.
const QUERIES: [&str; 3] = ["a=1", "next=/v0/management/usage/../config", "?"];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let targets = exact_paths(ask)
        .into_iter()
        .flat_map(|path| QUERIES.map(|query| format!("{path}?{query}")));
    reach_their_owners(ask, checks, targets, QUERY_MATCHED).await
}
