//! A client in IP version 6, from a version 1 header.

use proxyproof_harness::probe::V6_ADDRESS;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered_to;
use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/client_address_v1_ipv6",
    claim: "an IPv6 address of the PROXY header reaches the upstreams as an address",
    why: "CPA parses the field; what it cannot parse is ignored, and the client looks like the proxy, which is local",
    asks: "client ── PROXY TCP6 2001:db8::7 ──▶ candidate ── X-Forwarded-For: 2001:db8::7 ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[
        Break::new("ignore_proxy_address", WRONG.name),
        Break::new("no_forwarded_for", WRONG.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.client_address_v6_lost",
    "an IPv6 client's address does not reach the program",
    "the program bans, counts and trusts the wrong client",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let client = ask.client().from(V6_ADDRESS);
    for endpoint in believing(ask) {
        checks.about(format!("{} {}", endpoint.method, endpoint.target));
        let seen = answered_to(ask, &client, ask.to(&endpoint)).await?;
        for name in fields(ask, &endpoint) {
            let wanted = format!("{name}: {V6_ADDRESS}, however it is spelled");
            checks.field_where(
                &seen,
                name,
                &wanted,
                WRONG,
                |found| matches!(found, [one] if one.parse() == Ok(V6_ADDRESS)),
            );
        }
    }
    Ok(())
}
