//! A refusal that meets a client still sending.

use std::time::Duration;

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};

use crate::literal::Literal;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/refusal_readable",
    claim: "a client that goes on sending while its body is refused is not cut off",
    why: "a proxy that closes at once resets the connection: most clients report the failed write and try again, and nobody learns \
          that the conversation is too long (codex#7682, manifest#2126)",
    asks: "client ── Content-Length: limit + 1 ──▶ candidate ── 413 ──▶ client ── a part of the body all the same ──▶ candidate: no reset",
    level: Level::Recommended,
    // Through the front it is the front that a client writes to.
    protocols: &[Protocol::H1],
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Stream),
        SiteNeed::RequestBody,
        SiteNeed::BodyLimit,
    ],
    stage: StageUse::Shared,
    findings: &[LOST],
    breaks: &[Break::new("refuse_and_reset", LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "upload.refusal_lost",
    "a client that is still sending loses the answer that its body is refused",
    "clients repeat what can never work, and users see a network error",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let length = ask.request_body() + 1;
    let head = format!(
        "POST {{stream}} HTTP/1.1\r\nHost: {{host}}\r\n{{tag}}\r\nContent-Length: {length}\r\n\r\n"
    );
    let request = Literal::new(ask, &head).answered(ask);
    let mut connection = ask.client().raw().await?;
    connection.write(&request.bytes).await?;
    let answer = connection.answer("POST").await;
    let seen = request.seen(ask, &connection, answer).await;
    if !checks.status(&seen, 413, LOST) {
        return Ok(());
    }
    for _ in 0..PARTS {
        if let Err(error) = connection.write([b'x'; 1 << 10]).await {
            let finding = LOST.finding().seen(&seen);
            let finding = finding.expected("a connection that is read on for a moment");
            checks.push(finding.observed(error.to_string()));
            return Ok(());
        }
        ON_THE_WAY.pass().await;
    }
    Ok(())
}

/// The first is answered with a reset where nobody reads any more, and the second meets it.
const PARTS: usize = 2;

/// For that reset: longer than it takes, and far shorter than any server goes on reading.
const ON_THE_WAY: Patience = Patience::new("a reset", Duration::from_millis(30));
