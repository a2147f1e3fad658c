//! Fields of one connection.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/hop_by_hop_removed",
    claim: "hop-by-hop fields of the client do not reach the upstream",
    why: "RFC 9110 section 7.6.1: they speak of the client's connection, not of the proxy's",
    asks: "client ── Keep-Alive, TE, Connection: close ──▶ candidate ── none of them ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[PASSED],
    breaks: &[Break::new("hop_by_hop_forwarded", PASSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const PASSED: Code = Code::new(
    "headers.hop_by_hop_passed",
    "a hop-by-hop field of the client reaches the upstream",
    "a client decides over the proxy's own connections",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask
        .plain()
        .header("Keep-Alive", "timeout=5")
        .header("TE", "gzip")
        .header("Connection", "keep-alive, TE");
    let seen = answered(ask, request).await?;
    for name in ["Keep-Alive", "TE"] {
        checks.no_field(&seen, name, PASSED);
    }
    Ok(())
}
