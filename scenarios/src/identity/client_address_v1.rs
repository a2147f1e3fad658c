//! The client's address from a version 1 header.

use proxyproof_harness::probe::OTHER_ADDRESS;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered_to;
use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/client_address_v1",
    claim: "the upstreams get the address of the PROXY header in the fields that they look at",
    why: "CLIProxyAPI#4733: without it every client is the proxy itself, and one attacker gets everybody banned",
    asks: "client ── PROXY TCP4 198.51.100.23 ──▶ candidate ── X-Real-IP, X-Forwarded-For: 198.51.100.23 ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[
        Break::new("ignore_proxy_address", WRONG.name),
        Break::new("no_forwarded_for", WRONG.name),
        Break::new("no_real_ip", WRONG.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.client_address_lost",
    "the address of the PROXY header does not reach the program",
    "the program bans, counts and trusts the wrong client",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let client = ask.client().from(OTHER_ADDRESS);
    for endpoint in believing(ask) {
        checks.about(format!("{} {}", endpoint.method, endpoint.target));
        let seen = answered_to(ask, &client, ask.to(&endpoint)).await?;
        for name in fields(ask, &endpoint) {
            checks.field(&seen, name, &OTHER_ADDRESS.to_string(), WRONG);
        }
    }
    Ok(())
}
