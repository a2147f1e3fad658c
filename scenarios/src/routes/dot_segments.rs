//! Dot segments, plain and escaped.

use crate::destination::{own_paths, prefixes, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/dot_segments",
    claim: "dot segments are resolved before the route is chosen (RFC 3986 section 5.2.4)",
    why: "`/v0/management/usage/../config` must not slip past a rule for `/v0/management/` by starting with something harmless",
    asks: "client ── GET /x/../health, /v0/management/usage/%2e%2e/config ──▶ candidate ──▶ the owner of the resolved path",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
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

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let own = own_paths(ask);
    let mut targets: Vec<String> = own
        .iter()
        .flat_map(|path| {
            ["/.", "/x/..", "/x/%2e%2e", "/x/%2E%2E"].map(|dots| format!("{dots}{path}"))
        })
        .collect();
    // Out of one location into another.
    for prefix in prefixes(ask) {
        let elsewhere = own.iter().filter(|path| !path.starts_with(&prefix));
        targets.extend(elsewhere.map(|path| format!("{prefix}{}{path}", climb(&prefix))));
    }
    reach_their_owners(ask, checks, targets, UNRESOLVED).await
}

/// As many steps up as lead from below a prefix to the root.
fn climb(prefix: &str) -> String {
    let segments = prefix.split('/').filter(|segment| !segment.is_empty());
    let steps: Vec<&str> = segments.map(|_| "..").collect();
    steps.join("/")
}
