//! Transfer-Encoding that is not plainly chunked.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::literal::{Literal, all_refused};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/odd_transfer_encodings",
    claim: "a request whose Transfer-Encoding is not plainly chunked is refused; in HTTP/1.0 a chunked one is, or is read",
    why: "RFC 9112 section 6.1: an obfuscated `chunked` that one side reads and the other ignores smuggles a request",
    asks: "client ── POST, Transfer-Encoding: xchunked; chunked, identity ──▶ candidate ── 4xx or 501, nothing forwarded",
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
    "http.odd_transfer_encoding_served",
    "a request with an odd Transfer-Encoding is forwarded",
    "proxy and program may disagree on where the body ends",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    all_refused(ask, checks, &REQUESTS, SERVED).await?;
    checks.about("HTTP/1.0 and chunked");
    let seen = Literal::new(ask, OLD).answered(ask).exchange(ask).await?;
    // RFC 9112 section 6.1 lets a server read such a body, where it closes the connection behind it.
    if !seen.arrivals.is_empty() {
        checks.body_intact(&seen, b"hello", SERVED);
    }
    Ok(())
}

const REQUESTS: [(&str, &str); 2] = [
    (
        "xchunked",
        "POST {stream} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked, identity",
        "POST {stream} HTTP/1.1\r\nHost: {host}\r\n{tag}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
];
const OLD: &str = "POST {stream} HTTP/1.0\r\nHost: {host}\r\n{tag}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
