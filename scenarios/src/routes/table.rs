//! Every route of the table, by the targets that it is there for.

use crate::destination::{exact_paths, prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/table",
    claim: "every route of the table reaches its upstream, and no other",
    why: "one missing route sends the statistics page to the AI gateway, or a completion to the statistics service",
    asks: "client ── GET (each route's own path, and paths under each prefix) ──▶ candidate ──▶ the route's upstream, once",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[MISROUTED],
    breaks: &[
        Break::new("swap_upstreams", MISROUTED.name),
        Break::new("first_prefix_wins", MISROUTED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const MISROUTED: Code = Code::new(
    "routes.wrong_upstream",
    "a request goes to the wrong upstream",
    "the client gets another program's answer, most often a bare 404",
);

/// What clients of an AI gateway call and no location names: it belongs to the root.
const API_PATHS: [&str; 8] = [
    "/",
    "/v1/models",
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses/compact",
    "/v1beta/models/gemini-pro:generateContent",
    "/backend-api/codex/responses",
    "/v0/management/config",
];

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let exact = exact_paths(ask);
    let below = prefixes(ask).into_iter().flat_map(|prefix| {
        [
            prefix.clone(),
            format!("{prefix}a"),
            format!("{prefix}a/b?c=d"),
        ]
    });
    let apis = API_PATHS.map(str::to_owned);
    reach_their_owners(
        ask,
        checks,
        exact.into_iter().chain(below).chain(apis),
        MISROUTED,
    )
    .await
}
