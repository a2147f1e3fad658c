//! Paths that climb above the root.

use crate::answer::answered;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/above_root_refused",
    claim: "a path that climbs above the root is refused and reaches no upstream",
    why: "such a path has no meaning; a program that strips the dots differently from the proxy serves what no rule allowed",
    asks: "client ── GET /../health ──▶ candidate ── 4xx, nothing forwarded",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[SERVED],
    breaks: &[Break::new("serve_above_root", SERVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SERVED: Code = Code::new(
    "routes.above_root_served",
    "a path above the root is forwarded",
    "proxy and program may disagree on whose path it is",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for target in [
        "/../health",
        "/x/../../health",
        "/%2e%2e/v0/management/config",
        "/..%2fhealth",
    ] {
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target)).await?;
        checks.refused(&seen, SERVED);
    }
    Ok(())
}
