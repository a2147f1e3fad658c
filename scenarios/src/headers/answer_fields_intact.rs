//! Fields of an answer.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/answer_fields_intact",
    claim: "Set-Cookie twice, Cache-Control and one Access-Control-Allow-Origin arrive as the program wrote them",
    why: "a doubled CORS line is refused by browsers (expressjs/cors#145), joined cookies are lost",
    asks: "upstream ── Set-Cookie ×2, Cache-Control, Access-Control-Allow-Origin ──▶ candidate ── the same ──▶ client",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[CHANGED],
    breaks: &[
        Break::new("join_set_cookie", CHANGED.name),
        Break::new("drop_cache_control", CHANGED.name),
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
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2"),
        ("Cache-Control", "no-cache"),
        ("Access-Control-Allow-Origin", "*"),
        ("Content-Length", "0"),
    ];
    ask.script(&request, Script::new().head(200, &fields));
    let seen = ask.exchange(request).await?;
    checks.answer_fields(&seen, "Set-Cookie", &["a=1; Path=/", "b=2"], CHANGED);
    checks.answer_field(&seen, "Cache-Control", "no-cache", CHANGED);
    checks.answer_field(&seen, "Access-Control-Allow-Origin", "*", CHANGED);
    Ok(())
}
