//! An upstream that answers with errors, and goes on answering.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/errors_eject_nobody",
    claim: "an upstream whose answers are errors is still asked by others",
    why: "a provider's 503 or 529 comes through the gateway: a proxy that counts it as the gateway's own takes it from everybody (Caddy's unhealthy_status, NGINX's max_fails with http_503)",
    asks: "upstream ── 500, 502, 503, 504, twice each; another client ── GET ──▶ candidate ──▶ upstream ── 200",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Own(|stage| stage),
    findings: &[EJECTED],
    breaks: &[Break::new("eject_after_errors", EJECTED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const EJECTED: Code = Code::new(
    "upstream.ejected_for_errors",
    "an upstream that answered with errors is taken out of service",
    "one client's failing requests cut everybody off until the proxy tries again",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for status in [500, 502, 503, 504, 500, 502, 503, 504] {
        let request = ask.plain();
        ask.script(&request, Script::new().reply(status, "text/plain", "error"));
        ask.exchange(request).await?;
    }
    let seen = answered(ask, ask.plain()).await?;
    if checks.arrived_once(&seen, EJECTED).is_some() {
        checks.status(&seen, 200, EJECTED);
    }
    Ok(())
}
