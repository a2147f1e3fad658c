//! The client's address from a version 2 header.

use proxyproof_harness::probe::{OTHER_ADDRESS, ProxyHeader, V6_ADDRESS};
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::wire::proxy_protocol::Tlv;

use crate::answer::answered_to;
use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/client_address_v2",
    claim: "a version 2 header names the client as a version 1 header does, also with entries behind the addresses",
    why: "a tunnel server with `xver: 2`, or a load balancer that adds entries, must not lock everybody out",
    asks: "client ── PROXY v2, TCP4, TCP6, with entries ──▶ candidate ── X-Forwarded-For: the address ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::ProxyProtocolV2],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[
        Break::new("refuse_proxy_v2", WRONG.name),
        Break::new("ignore_proxy_address", WRONG.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.client_address_v2_lost",
    "the address of a version 2 header does not reach the program",
    "the program bans, counts and trusts the wrong client, or nobody is served",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let entry = |kind, value: &[u8]| Tlv {
        kind,
        value: value.to_vec(),
    };
    // ALPN and padding, which any sender may add (section 2.2).
    let entries = vec![entry(0x01, b"h2"), entry(0x04, &[0; 9])];
    for header in [ProxyHeader::V2, ProxyHeader::V2With(entries)] {
        for address in [OTHER_ADDRESS, V6_ADDRESS] {
            checks.about(format!("{address} in {header:?}"));
            let client = ask.client().from(address).header(header.clone());
            for endpoint in believing(ask) {
                let seen = answered_to(ask, &client, ask.to(&endpoint)).await?;
                for name in fields(ask, &endpoint) {
                    let wanted = format!("{name}: {address}");
                    checks.field_where(
                        &seen,
                        name,
                        &wanted,
                        WRONG,
                        |found| matches!(found, [one] if one.parse() == Ok(address)),
                    );
                }
            }
        }
    }
    Ok(())
}
