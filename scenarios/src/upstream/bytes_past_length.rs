//! Bytes behind an answer's end.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

use crate::answer::answered;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/bytes_past_length",
    claim: "bytes behind the end of an answer never become part of the next one",
    why: "response smuggling: one program's mistake, or an attacker's answer, would reach the next client of the pooled connection",
    asks: "upstream ── Content-Length: 5, hello, and a second answer behind it ──▶ candidate; client ── GET ──▶ its own answer",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Own(|stage| stage),
    findings: &[LEAKED],
    breaks: &[Break::new("keep_leftover", LEAKED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LEAKED: Code = Code::new(
    "upstream.leftover_leaked",
    "bytes behind one answer reach the next request",
    "a client reads an answer that was never meant for it",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    let bytes = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    ask.script(&request, Script::new().bytes(bytes));
    ask.exchange(request).await?;
    let owner = ask.endpoint(Purpose::Plain).upstream;
    for number in 0..3 {
        checks.about(format!("request {number} after it"));
        let seen = answered(ask, ask.plain()).await?;
        checks.answer_body(&seen, owner.as_bytes(), LEAKED);
    }
    Ok(())
}
