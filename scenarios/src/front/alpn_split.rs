//! What the front hands over.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::client_address::{believing, fields};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "front/alpn_split",
    claim: "what the front hands over by ALPN is understood at its listener, under the address that the front names",
    why: "with HTTP/2 on the listener for HTTP/1.1, or the other way round, every request fails (Xray-core#708); with no PROXY header read, every client is the tunnel",
    asks: "client ── TLS, ALPN ──▶ front ── PROXY, h2 or http/1.1 ──▶ candidate ──▶ upstream: HTTP/1.1 with the client's address",
    level: Level::Required,
    protocols: &[Protocol::ChainH1, Protocol::ChainH2],
    needs: &[],
    site: &[SiteNeed::ClientAddress],
    stage: StageUse::Shared,
    findings: &[LOST],
    breaks: &[Break::new("ignore_proxy_address", LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "front.handed_over_lost",
    "what the front hands over does not reach the upstream as this client's",
    "the site is down for one HTTP version, or knows nobody's address",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let Some(endpoint) = believing(ask).into_iter().next() else {
        checks.skip("no program of the site looks at its clients' addresses");
        return Ok(());
    };
    let seen = answered(ask, ask.to(&endpoint)).await?;
    checks.status(&seen, 200, LOST);
    for name in fields(ask, &endpoint) {
        checks.field(&seen, name, &ask.client_address().to_string(), LOST);
    }
    Ok(())
}
