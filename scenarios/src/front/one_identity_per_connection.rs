//! Several requests over one TLS connection.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "front/one_identity_per_connection",
    claim: "every request of a TLS connection carries the address that the front named at its start",
    why: "the PROXY header comes once a connection; a proxy that forgets it after the first request gives the second to the tunnel",
    asks: "client ── 3 requests on one connection ──▶ front ──▶ candidate ──▶ upstream: the same address three times",
    level: Level::Required,
    protocols: &[Protocol::ChainH1, Protocol::ChainH2],
    needs: &[],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[FORGOTTEN],
    breaks: &[Break::new("first_request_identity_only", FORGOTTEN.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const FORGOTTEN: Code = Code::new(
    "front.identity_forgotten",
    "a later request of a connection carries another address",
    "bans, limits and statistics hit the wrong address",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(endpoint) = believing(ask).into_iter().next() else {
        checks.skip("no program of the site looks at its clients' addresses");
        return Ok(());
    };
    let connection = ask.client().connect().await?;
    for number in 1..=3 {
        checks.about(format!("request {number}"));
        let request = ask.to(&endpoint);
        ask.script(&request, Script::new().reply(200, "text/plain", "answer"));
        let seen = ask.exchange_on(&connection, request).await?;
        for name in fields(ask, &endpoint) {
            checks.field(&seen, name, &ask.client_address().to_string(), FORGOTTEN);
        }
    }
    Ok(())
}
