//! A client that speaks HTTP/1.0.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/http_1_0_client",
    claim: "a client of HTTP/1.0 gets its answer, not chunked, and the program is asked in HTTP/1.1",
    why: "health checks and old scripts speak it; a chunked answer is garbage to them (RFC 9112 section 6.1)",
    asks: "client ── GET {plain} HTTP/1.0 ──▶ candidate ── HTTP/1.1 ──▶ upstream",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[UNSERVED],
    breaks: &[Break::new("upstream_http10", UNSERVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNSERVED: Code = Code::new(
    "http.http_1_0_unserved",
    "a client of HTTP/1.0 is refused or misanswered",
    "health checks that speak HTTP/1.0 report the site as down",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request =
        Literal::new(ask, "GET {plain} HTTP/1.0\r\nHost: {host}\r\n{tag}\r\n\r\n").answered(ask);
    let seen = request.exchange(ask).await?;
    let owner = ask.endpoint(Purpose::Plain).upstream;
    checks.status(&seen, 200, UNSERVED);
    checks.answer_body(&seen, owner.as_bytes(), UNSERVED);
    checks.answer_fields(&seen, "Transfer-Encoding", &[], UNSERVED);
    checks.version(&seen, "HTTP/1.1", UNSERVED);
    Ok(())
}
