//! Paths that look like an exact location.

use crate::destination::{exact_paths, reach_their_owners};
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/exact_is_exact",
    claim: "an exact location takes its path and nothing that only begins with it",
    why: "`/healthz` is CPA's and `/health` the usage service's: a loose match sends monitoring to the wrong program",
    asks: "client ── GET /health/, /healthx, /HEALTH, … ──▶ candidate ──▶ the owner of the look-alike",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::ExactRoute],
    stage: StageUse::Shared,
    findings: &[LOOSE],
    breaks: &[Break::new("exact_as_prefix", LOOSE.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOOSE: Code = Code::new(
    "routes.look_alike_misrouted",
    "a path that only looks like a location is taken by it",
    "the wrong program answers, and may answer 200",
);

fn look_alikes(path: &str) -> [String; 4] {
    [
        format!("{path}/"),
        format!("{path}/x"),
        format!("{path}x"),
        format!("{path};x=1"),
    ]
}

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let targets = exact_paths(ask)
        .into_iter()
        .flat_map(|path| look_alikes(&path));
    reach_their_owners(ask, checks, targets, LOOSE).await
}
