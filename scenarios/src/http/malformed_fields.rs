//! Header sections that RFC 9112 wants refused.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::literal::all_refused;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/malformed_fields",
    claim: "a request with a malformed header section is refused",
    why: "RFC 9112 section 5: a name followed by a space, or a folded line, is one field to the proxy and another to the program",
    asks: "client ── folded line, space before the colon, NUL, name that is no token ──▶ candidate ── 400, nothing forwarded",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[SERVED],
    breaks: &[Break::new("repair_heads", SERVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SERVED: Code = Code::new(
    "http.malformed_field_served",
    "a request with a malformed header section is forwarded",
    "a field can be hidden from the proxy and be seen by the program",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    all_refused(ask, checks, &REQUESTS, SERVED).await
}

const REQUESTS: [(&str, &str); 4] = [
    (
        "a space before the colon",
        "GET {plain} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nX-Forwarded-For : 127.0.0.1\r\n\r\n",
    ),
    (
        "a line that starts with a space",
        "GET {plain} HTTP/1.1\r\n Host: evil.example\r\nHost: {host}\r\n{tag}\r\n\r\n",
    ),
    (
        "a NUL in a value",
        "GET {plain} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nX-Value: a\0b\r\n\r\n",
    ),
    (
        "a space in the target",
        "GET {plain} /x HTTP/1.1\r\nHost: {host}\r\n{tag}\r\n\r\n",
    ),
];
