//! Requests with no Host, or with two.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "host/missing_or_double_refused",
    claim: "a request without Host, or with two that differ, reaches no upstream",
    why: "RFC 9112 section 3.2 wants 400: with two, proxy and program may each believe another one",
    asks: "client ── no Host; Host twice ──▶ candidate ── 400, nothing forwarded",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[SERVED],
    breaks: &[Break::new("ignore_host_mismatch", SERVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SERVED: Code = Code::new(
    "host.ambiguous_served",
    "a request whose host is missing or ambiguous is forwarded",
    "proxy and program may take it for requests to different sites",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    checks.about("no Host");
    let seen = answered(ask, ask.plain().without_host()).await?;
    checks.refused(&seen, SERVED);
    checks.about("two Hosts");
    let seen = answered(ask, ask.plain().header("Host", "evil.example")).await?;
    checks.refused(&seen, SERVED);
    Ok(())
}
