//! PROXY headers without an address.

use proxyproof_harness::probe::ProxyHeader;
use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered_to;
use crate::client_address::{believed, trusting};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/unknown_is_not_local",
    claim: "a client whose address the PROXY header does not say never looks local",
    why: "with `PROXY UNKNOWN` or LOCAL the connection's own address is left, 127.0.0.1: `allow-remote: false` is bypassed",
    asks: "client ── PROXY UNKNOWN, v2 LOCAL ──▶ candidate ── refused, or not as 127.0.0.1 ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::DIRECT,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::LocalClients],
    stage: StageUse::Shared,
    findings: &[WRONG],
    breaks: &[Break::new("trust_unknown", WRONG.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WRONG: Code = Code::new(
    "identity.no_client_address_is_local",
    "a client without an address looks local",
    "a program that lets local clients do more lets it: CPA lets it manage although `allow-remote` is false",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(endpoint) = trusting(ask) else {
        checks.skip("no program of the site lets local clients do more");
        return Ok(());
    };
    for header in [ProxyHeader::V1Unknown, ProxyHeader::V2Local] {
        checks.about(format!("{header:?}"));
        let client = ask.client().header(header);
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
