//! A client that asks before it sends its body.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Patience, Protocol, Purpose, Scenario, SiteNeed,
    StageUse,
};
use proxyproof_mocks::Script;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/expect_continue",
    claim: "a client that waits for 100 Continue gets it, or an answer, and its body arrives",
    why: "curl and .NET wait with every larger body: a proxy that says nothing costs curl a second each time, others their request",
    asks: "client ── Expect: 100-continue ──▶ candidate ── 100 ──▶ client ── body ──▶ candidate ──▶ upstream",
    level: Level::Recommended,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Upload)],
    stage: StageUse::Shared,
    findings: &[UNANSWERED],
    breaks: &[Break::new("ignore_expect", UNANSWERED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const UNANSWERED: Code = Code::new(
    "upload.expect_unanswered",
    "a client that waits for 100 Continue gets neither that nor an answer",
    "uploads wait a second for nothing, or for ever",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let body = Bytes::from_static(&[b'x'; 2000]);
    let request = ask.upload().body(body.clone()).expect_continue();
    let script = Script::new().read_body().reply(200, "text/plain", "read");
    ask.script(&request, script);
    let connection = ask.client().connect().await?;
    let exchange = connection.open(&request).await?;
    let mut exchange = exchange.patience(Patience::LOCK_STEP);
    // What went wrong is told by the exchange itself.
    let _ = exchange.whole().await;
    let seen = ask.observe(&exchange).await;
    if checks.status(&seen, 200, UNANSWERED) {
        checks.body_intact(&seen, &body, UNANSWERED);
    }
    Ok(())
}
