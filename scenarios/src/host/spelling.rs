//! Other spellings of the site's own name.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "host/spelling",
    claim: "the site's name is served in upper case and with a port, and arrives without them",
    why: "clients that are given `https://API.example.org:443` send just that; host names have no case (RFC 9110 section 4.2.3)",
    asks: "client ── Host: API.EXAMPLE.ORG, api.example.org:443 ──▶ candidate ── Host: api.example.org ──▶ upstream",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[SPELLING],
    breaks: &[
        Break::new("keep_host_port", SPELLING.name),
        Break::new("client_host", SPELLING.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SPELLING: Code = Code::new(
    "host.spelling",
    "another spelling of the site's own name is refused, or reaches the program as it is",
    "a client that names the port gets an error, or the program sees several names for one site",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let host = &ask.deployment().hosts.api;
    let port = ask.deployment().identity.port;
    let owner = ask.endpoint(Purpose::Plain).upstream;
    for spelling in [host.to_uppercase(), format!("{host}:{port}")] {
        checks.about(format!("Host: {spelling}"));
        let seen = answered(ask, ask.plain().host(spelling)).await?;
        if checks.arrived_at(&seen, &owner, SPELLING).is_some() {
            checks.field(&seen, "Host", ask.host_at(&owner), SPELLING);
        }
    }
    Ok(())
}
