//! PROXY headers that claim a loopback address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered_to;
use crate::client_address::{believed, trusting};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/loopback_claim",
    claim: "a PROXY header that claims a loopback address does not make a client look local",
    why: "no client of a public site comes from 127.0.0.1; whoever says so wants `allow-remote: false` bypassed",
    asks: "client ── PROXY TCP4 127.0.0.1 ──▶ candidate ── refused, or not as 127.0.0.1 ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::LocalClients],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[Break::new("accept_loopback_claim", WRONG.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.loopback_claim_believed",
    "a PROXY header can claim a local address",
    "a program that lets local clients do more lets it: CPA lets it manage although `allow-remote` is false",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(endpoint) = trusting(ask) else {
        checks.skip("no program of the site lets local clients do more");
        return Ok(());
    };
    for claim in [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ] {
        checks.about(format!("a claim of {claim}"));
        let client = ask.client().from(claim);
        let seen = answered_to(ask, &client, ask.to(&endpoint)).await?;
        if let Some(arrival) = seen.arrivals.first() {
            let believed = believed(ask, &endpoint, arrival);
            checks.ensure(believed.is_some_and(|ip| !ip.is_loopback()), || {
                let finding = WRONG.finding().seen(&seen);
                finding
                    .expected("a refusal, or an address that is not local")
                    .observed(match believed {
                        Some(ip) => format!("the program takes the client for {ip}"),
                        None => {
                            "the program takes the client for the proxy, which is local".to_owned()
                        }
                    })
            });
        }
    }
    Ok(())
}
