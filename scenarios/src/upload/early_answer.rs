//! An answer before the upload's end.

use bytes::Bytes;
use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{Arrival, Script};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/early_answer",
    claim: "an answer that comes while the upload still runs reaches the client at once",
    why: "a wrong key is told before megabytes are sent; a proxy that holds the answer wastes them",
    asks: "client ── half a body; upstream ── 401 ──▶ candidate ──▶ client has it? before the other half is sent",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[HELD],
    breaks: &[Break::new("hold_early_answer", HELD.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD: Code = Code::new(
    "upload.early_answer_held",
    "an answer that comes during the upload does not reach the client",
    "clients send megabytes for nothing, or see a broken connection instead of the reason",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.completion().streamed_length(1 << 20);
    let script = Script::new().read_body_bytes(1000).reply(
        401,
        "application/json",
        r#"{"error":"Invalid API key"}"#,
    );
    ask.script(&request, script);
    let connection = ask.client().connect().await?;
    let mut upload = connection
        .open(&request)
        .await?
        .patience(Patience::LOCK_STEP);
    upload.write(Bytes::from_static(&[b'x'; 1000])).await?;
    let arrived = |arrivals: &[Arrival]| (!arrivals.is_empty()).then_some(());
    let arrived = ask.in_lock_step(request.probe_id(), arrived).await;
    if arrived.is_none() {
        checks.skip(
            "the upload is collected before its upstream hears of it: upload/passed_on_elsewhere",
        );
        return Ok(());
    }
    checks.head_comes(ask, &mut upload, HELD).await;
    let seen = ask.observe(&upload).await;
    checks.status(&seen, 401, HELD);
    Ok(())
}
