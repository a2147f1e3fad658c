//! An upstream that answers garbage.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upstream/garbage_answer",
    claim: "what is no HTTP answer never becomes a whole success",
    why: "a program that crashes may write anything; clients must not take it for an answer",
    asks: "upstream ── garbage, then FIN ──▶ candidate ──▶ client: an error",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Plain)],
    stage: StageUse::WithErrors,
    findings: &[SUCCESS],
    breaks: &[Break::new("upstream_down_is_ok", SUCCESS.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const SUCCESS: Code = Code::new(
    "upstream.garbage_is_success",
    "an upstream's garbage becomes a successful answer",
    "clients store nonsense as an answer",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.plain();
    ask.script(
        &request,
        Script::new()
            .bytes(&b"\x00\x01 no answer at all\r\n\r\n"[..])
            .fin(),
    );
    let seen = ask.exchange(request).await?;
    let success = seen
        .answer
        .as_ref()
        .is_ok_and(|answer| answer.status < 400 && answer.ended.is_whole());
    checks.ensure(!success, || {
        let finding = SUCCESS
            .finding()
            .seen(&seen)
            .expected("an error status, or an answer that cannot be read");
        finding.observed("a whole answer with a status of success")
    });
    Ok(())
}
