//! Paths that climb above the root.

use crate::answer::answered;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/above_root_refused",
    claim: "a path that climbs above the root is refused and reaches no upstream",
    why: "such a path has no meaning; a program that strips the dots differently from the proxy serves what no rule allowed",
    asks: "client ── GET /../health ──▶ candidate ── 4xx, nothing forwarded",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain), SiteNeed::EveryUpstream],
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
    let plain = ask.deployment().endpoints(Purpose::Plain);
    let above = ["/..", "/x/../..", "/%2e%2e", "/..%2f"];
    let last = plain
        .last()
        .map_or("/", |endpoint| endpoint.target.as_str());
    for climb in above {
        // An escaped slash is one of the path's own.
        let path = if climb.ends_with("%2f") {
            &last[1..]
        } else {
            last
        };
        let target = format!("{climb}{path}");
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target)).await?;
        checks.refused(&seen, SERVED);
    }
    Ok(())
}
