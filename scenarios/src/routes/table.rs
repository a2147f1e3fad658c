//! Every route of the table, by the targets that it is there for.

use crate::destination::{exact_paths, prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/table",
    claim: "every route of the table reaches its upstream, and no other",
    why: "one missing route sends the statistics page to the AI gateway, or a completion to the statistics service",
    asks: "client ── GET (each route's own path, and paths under each prefix) ──▶ candidate ──▶ the route's upstream, once",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
    stage: StageUse::Shared,
    findings: &[MISROUTED],
    breaks: &[
        Break::new("swap_upstreams", MISROUTED.name),
        Break::new("first_prefix_wins", MISROUTED.name),
        Break::new("ignore_exact", MISROUTED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const MISROUTED: Code = Code::new(
    "routes.wrong_upstream",
    "a request goes to the wrong upstream",
    "the client gets another program's answer, most often a bare 404",
);

/// What clients of an AI gateway call and no location names: it belongs to the root.
async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let exact = exact_paths(ask);
    let below = prefixes(ask).into_iter().flat_map(|prefix| {
        [
            prefix.clone(),
            format!("{prefix}a"),
            format!("{prefix}a/b?c=d"),
        ]
    });
    let purposes = Purpose::ALL.into_iter();
    let served = purposes.flat_map(|purpose| ask.deployment().endpoints(purpose));
    let apis = served.map(|endpoint| endpoint.target);
    let apis = apis.chain(["/", "/a/path/that/no/location/names"].map(str::to_owned));
    reach_their_owners(
        ask,
        checks,
        exact.into_iter().chain(below).chain(apis),
        MISROUTED,
    )
    .await
}
