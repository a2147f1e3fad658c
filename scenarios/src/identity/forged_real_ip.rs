//! `X-Real-IP` of the client's own making.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::client_address::believing_in;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/forged_real_ip",
    claim: "the upstreams get the client's address in X-Real-IP, whatever the client sends in it",
    why: "CPA falls back to X-Real-IP where X-Forwarded-For does not parse",
    asks: "client 203.0.113.7 ── X-Real-IP: 127.0.0.1 ──▶ candidate ── X-Real-IP: 203.0.113.7 ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::ClientField("X-Real-IP")],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[Break::new("keep_real_ip", WRONG.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.real_ip_believed",
    "a client can choose its X-Real-IP",
    "a client that says 127.0.0.1 looks local",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for endpoint in believing_in(ask, "X-Real-IP") {
        for forged in ["127.0.0.1", "::1", ""] {
            checks.about(format!("{} with X-Real-IP: {forged}", endpoint.target));
            let request = ask.to(&endpoint).header("X-Real-IP", forged);
            let seen = answered(ask, request).await?;
            checks.field(&seen, "X-Real-IP", &ask.client_address().to_string(), WRONG);
        }
    }
    Ok(())
}
