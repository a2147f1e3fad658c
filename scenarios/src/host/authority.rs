//! `:authority` and `host` in HTTP/2.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "host/authority",
    claim: "a host field that contradicts :authority does not reach an upstream",
    why: "RFC 9113 section 8.3.1: an intermediary must not choose the other one silently",
    asks: "client ── :authority api.example.org, host evil.example ──▶ candidate ── refused, or forwarded under :authority alone",
    level: Level::Required,
    protocols: &[Protocol::H2, Protocol::ChainH2],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[BELIEVED],
    breaks: &[Break::new("ignore_host_mismatch", BELIEVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const BELIEVED: Code = Code::new(
    "host.authority_contradicted",
    "a host field that contradicts :authority reaches the program",
    "a client can be served under one name and counted under another",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let seen = answered(ask, ask.plain().header("host", "evil.example")).await?;
    if !seen.arrivals.is_empty() {
        checks.field(
            &seen,
            "Host",
            ask.host_at(&ask.endpoint(Purpose::Plain).upstream),
            BELIEVED,
        );
    }
    Ok(())
}
