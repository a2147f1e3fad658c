//! The queue that looks like statistics.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "circle/usage_queue_is_cpas",
    claim: "the usage queue is CPA's, though its path looks like the usage service's",
    why: "the usage service answers every path that begins with /v0/management/usage, this one too, with something else",
    asks: "client ── GET /v0/management/usage-queue ──▶ candidate ──▶ cpa",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Kind("cpa"),
        SiteNeed::Kind("usage"),
        SiteNeed::Path {
            kind: "cpa",
            path: "/v0/management/usage-queue",
        },
        SiteNeed::Path {
            kind: "usage",
            path: "/v0/management/usage",
        },
    ],
    stage: StageUse::Shared,
    findings: &[TRAPPED],
    breaks: &[Break::new("swap_upstreams", TRAPPED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const TRAPPED: Code = Code::new(
    "circle.usage_queue_trapped",
    "the usage queue is asked of the usage service",
    "a second consumer gets statistics instead of records, and setters get 405",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for target in [
        "/v0/management/usage-queue?count=1",
        "/v0/management/usage-statistics-enabled",
        "/v0/management/usage",
    ] {
        checks.about(format!("GET {target}"));
        let request = ask.get(target);
        let owner = ask.owner(&request);
        let seen = answered(ask, request).await?;
        if let Some(owner) = owner {
            checks.arrived_at(&seen, &owner, TRAPPED);
        }
    }
    Ok(())
}
