//! A large head of an answer.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "headers/large_answer_head",
    claim: "an answer's head of 12 KiB passes",
    why: "providers' rate limit and trace fields add up; NGINX answers 502 beyond 4 KiB unless told otherwise",
    asks: "upstream ── 12 KiB of fields ──▶ candidate ── the same ──▶ client",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::Shared,
    findings: &[REFUSED],
    breaks: &[Break::new("small_response_head", REFUSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REFUSED: Code = Code::new(
    "headers.answer_head_too_large",
    "an answer with a large head becomes an error",
    "a provider that sends more fields than usual takes its models down",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let value = "x".repeat(3000);
    let request = ask.plain();
    let fields = [
        ("X-A", value.as_str()),
        ("X-B", &value),
        ("X-C", &value),
        ("X-D", &value),
        ("Content-Length", "0"),
    ];
    ask.script(&request, Script::new().head(200, &fields));
    let seen = ask.exchange(request).await?;
    checks.status(&seen, 200, REFUSED);
    checks.answer_field(&seen, "X-D", &value, REFUSED);
    Ok(())
}
