//! Content-Length that is ambiguous or no number.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::literal::all_refused;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/duplicate_length",
    claim: "a request whose Content-Length is ambiguous or no number is refused",
    why: "RFC 9112 section 6.3: programs differ in which of two lengths they take, and the difference is a smuggled request",
    asks: "client ── POST, Content-Length twice, +5, 0x5, -1 ──▶ candidate ── 400, nothing forwarded",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[SERVED],
    breaks: &[Break::new("repair_heads", SERVED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SERVED: Code = Code::new(
    "http.bad_length_served",
    "a request whose length is ambiguous is forwarded",
    "proxy and program may disagree on where the body ends",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    all_refused(ask, checks, &REQUESTS, SERVED).await
}

const REQUESTS: [(&str, &str); 4] = [
    (
        "two lengths",
        "POST {stream} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nContent-Length: 5\r\nContent-Length: 3\r\n\r\nhello",
    ),
    (
        "a length with a sign",
        "POST {stream} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nContent-Length: +5\r\n\r\nhello",
    ),
    (
        "a length in hexadecimal",
        "POST {stream} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nContent-Length: 0x5\r\n\r\nhello",
    ),
    (
        "a negative length",
        "POST {stream} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nContent-Length: -1\r\n\r\nhello",
    ),
];
