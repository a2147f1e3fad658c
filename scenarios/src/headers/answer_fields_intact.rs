//! Fields of an answer.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/answer_fields_intact",
    claim: "type, length, cache rules, CORS and two cookies of an answer arrive as the program wrote them",
    why: "a doubled CORS line is refused by browsers (expressjs/cors#145), joined cookies are lost, another type is saved \
          instead of shown, and a download without its length has no progress",
    asks: "upstream ── Set-Cookie ×2, Content-Type, Content-Length … ──▶ candidate ── the same ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[CHANGED],
    breaks: &[
        Break::new("join_set_cookie", CHANGED.name),
        Break::new("drop_cache_control", CHANGED.name),
        Break::new("rewrite_content_type", CHANGED.name),
        Break::new("swallow_length", CHANGED.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHANGED: Code = Code::new(
    "headers.answer_field_changed",
    "fields of an answer are lost, joined or doubled",
    "browsers refuse the answer or lose the session",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    let fields = [
        ("Content-Type", "image/png"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2"),
        ("Cache-Control", "no-cache"),
        ("Access-Control-Allow-Origin", "*"),
        ("Content-Length", "3"),
    ];
    ask.script(&request, Script::new().head(200, &fields).bytes("png"));
    let seen = ask.exchange(request).await?;
    checks.answer_fields(&seen, "Set-Cookie", &["a=1; Path=/", "b=2"], CHANGED);
    checks.answer_field(&seen, "Content-Type", "image/png", CHANGED);
    checks.answer_field(&seen, "Content-Length", "3", CHANGED);
    checks.answer_field(&seen, "Cache-Control", "no-cache", CHANGED);
    checks.answer_field(&seen, "Access-Control-Allow-Origin", "*", CHANGED);
    Ok(())
}
