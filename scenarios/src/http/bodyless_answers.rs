//! Answers without a body, and what comes after them.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "http/bodyless_answers",
    claim: "answers to HEAD, 204 and 304 have no body, and the next answer is the next request's",
    why: "RFC 9110 section 6.4.1: a proxy that waits for a body, or sends one, shifts every later answer of the connection",
    asks: "client ── HEAD, GET (204), GET (304), GET (200), one after the other ──▶ candidate ──▶ upstream",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[BODY],
    breaks: &[
        Break::new("head_as_get", BODY.name),
        Break::new("rewrite_reason", BODY.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const BODY: Code = Code::new(
    "http.bodyless_answer_misframed",
    "an answer without a body is misframed, or the one after it is wrong",
    "clients hang until their timeout, or read another request's answer",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let connection = ask.client().connect().await?;
    let target = ask.endpoint(Purpose::Plain).target;
    for (method, status, length) in ANSWERS {
        checks.about(format!("{method}, {status}"));
        let request = ask.request(method, target.clone());
        let answer = Script::new().head(status, &[length]);
        ask.script(&request, answer);
        let seen = ask.exchange_on(&connection, request).await?;
        checks.status(&seen, status, BODY);
        checks.answer_body(&seen, b"", BODY);
        checks.method(&seen, method, BODY);
    }
    checks.about("GET, 200, after all of them");
    let request = ask.plain();
    ask.script(&request, Script::new().reply(200, "text/plain", "last"));
    let seen = ask.exchange_on(&connection, request).await?;
    checks.answer_body(&seen, b"last", BODY);
    Ok(())
}

const ANSWERS: [(&str, u16, (&str, &str)); 3] = [
    ("HEAD", 200, ("Content-Length", "1234")),
    ("GET", 204, ("X-Nothing", "here")),
    ("GET", 304, ("ETag", "\"x\"")),
];
