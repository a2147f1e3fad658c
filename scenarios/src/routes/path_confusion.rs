//! Spellings whose owner depends on who reads them.

use proxyproof_harness::{
    Ask, Break, Checks, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/path_confusion",
    claim: "which program gets a path under each odd spelling is on record",
    why: "proxy and program may read a raw path differently (gravitee#19120): the list shows where a rule for one path does not cover its twins",
    asks: "client ── GET a management path in odd spellings ──▶ candidate ──▶ recorded: status and upstream",
    level: Level::Observed,
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[SiteNeed::Kind("cpa"), SiteNeed::Kind("usage")],
    stage: StageUse::Shared,
    findings: &[],
    breaks: &[Break::new(
        "no_dot_resolving",
        "/v1/..%2fv0/management/usage",
    )],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for target in SPELLINGS {
        let seen = answered(ask, ask.get(target)).await?;
        let place = seen
            .arrivals
            .first()
            .map_or("no upstream", |arrival| &*arrival.upstream);
        let status = seen
            .status()
            .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        checks.record(target, format!("{status}, {place}"));
    }
    Ok(())
}

const SPELLINGS: [&str; 8] = [
    "/v0/management/usage%2fexport",
    "/v1/..%2fv0/management/usage",
    "/v1/%2e%2e%2fv0/management/usage",
    "/v0/management/usage%252fexport",
    "/v0/management\\usage",
    "/v0/management/usage%5cexport",
    "/V0/management/usage",
    "//v0//management//usage",
];
