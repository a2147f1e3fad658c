//! The client's address from a version 1 header.

use proxyproof_harness::probe::OTHER_ADDRESS;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};

use crate::answer::answered_to;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/client_address_v1",
    claim: "the upstreams get the address of the PROXY header in X-Real-IP and X-Forwarded-For",
    why: "CLIProxyAPI#4733: without it every client is the proxy itself, and one attacker gets everybody banned",
    asks: "client ── PROXY TCP4 198.51.100.23 ──▶ candidate ── X-Real-IP, X-Forwarded-For: 198.51.100.23 ──▶ cpa",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
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
    "CPA bans, counts and trusts the wrong client",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let client = ask.client().from(OTHER_ADDRESS);
    let seen = answered_to(ask, &client, ask.plain()).await?;
    for name in ["X-Real-IP", "X-Forwarded-For"] {
        checks.field(&seen, name, &OTHER_ADDRESS.to_string(), WRONG);
    }
    Ok(())
}
