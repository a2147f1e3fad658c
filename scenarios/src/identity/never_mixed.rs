//! Two clients, one pooled connection.

use std::net::IpAddr;

use proxyproof_harness::{
    Ask, Break, Checks, Code, Feature, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "identity/never_mixed",
    claim: "requests of different clients that share an upstream connection carry each its own client's address",
    why: "a connection that remembers its first client gives every later one that client's rights, bans and statistics",
    asks: "clients 203.0.113.7, 203.0.113.8, 203.0.113.9 in turn ──▶ candidate ══ pooled connections ══▶ upstream sees each by its own address",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[Feature::ProxyProtocolV1],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[MIXED],
    breaks: &[Break::new("mix_identities", MIXED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const MIXED: Code = Code::new(
    "identity.clients_mixed_up",
    "a request carries the address of another client",
    "one client acts with another one's rights, and is banned for what that one did",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(endpoint) = believing(ask).into_iter().next() else {
        checks.skip("no program of the site looks at its clients' addresses");
        return Ok(());
    };
    for round in 1..=ROUNDS {
        for last in [7, 8, 9] {
            let address = IpAddr::from([203, 0, 113, last]);
            checks.about(format!("round {round}, client {address}"));
            let request = ask.to(&endpoint);
            let answer = Script::new().reply(200, "text/plain", "answer");
            ask.script(&request, answer);
            let client = ask.client().from(address);
            let seen = ask.exchange_as(&client, request).await?;
            for name in fields(ask, &endpoint) {
                checks.field(&seen, name, &address.to_string(), MIXED);
            }
        }
    }
    Ok(())
}

/// Enough for a pooled connection to be used by each of them.
const ROUNDS: u32 = 3;
