//! Chunk sizes that are none.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/bad_chunks",
    claim: "a body with a malformed chunk never arrives as a whole one",
    why: "RFC 9112 section 7.1: chunk sizes that two programs read differently smuggle a request (Kestrel CVE-2025-55315 and others)",
    asks: "client ── chunk size -1, 0x5, 5 followed by 8 bytes ──▶ candidate ── refused, or broken off ──▶ upstream",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::WithErrors,
    findings: &[ACCEPTED],
    breaks: &[Break::new("complete_aborted_upload", ACCEPTED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const ACCEPTED: Code = Code::new(
    "http.bad_chunk_accepted",
    "a body with a malformed chunk arrives as a whole one",
    "proxy and program may disagree on where the body ends",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for (subject, body) in BODIES {
        checks.about(subject);
        let template = format!(
            "POST {{stream}} HTTP/1.1\r\nHost: {{host}}\r\n{{tag}}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        );
        let seen = Literal::new(ask, &template)
            .answered(ask)
            .exchange(ask)
            .await?;
        checks.body_never_whole(&seen, ACCEPTED);
    }
    Ok(())
}

const BODIES: [(&str, &str); 4] = [
    ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
    ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
    (
        "more bytes than the size says",
        "5\r\nhello you\r\n0\r\n\r\n",
    ),
    ("a size that is no number", "xyz\r\nhello\r\n0\r\n\r\n"),
];
