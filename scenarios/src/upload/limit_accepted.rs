//! A body that announces just the limit.

use bytes::Bytes;
use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/limit_accepted",
    claim: "a Content-Length of exactly the limit is forwarded",
    why: "413 on long conversations is the other half of the reports (NyxID#957, cc-switch#3613): a default of 1 MiB is far too small",
    asks: "client ── Content-Length: limit, the first bytes ──▶ candidate ──▶ cpa has them",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[REFUSED],
    breaks: &[Break::new("low_body_limit", REFUSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const REFUSED: Code = Code::new(
    "upload.limit_too_low",
    "a body within the limit is refused",
    "long conversations and images end in 413",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask
        .completion()
        .streamed_length(ask.deployment().limits.request_body);
    let connection = ask.client().connect().await?;
    let mut upload = connection
        .open(&request)
        .await?
        .patience(Patience::LOCK_STEP);
    // A candidate that refuses may close before it has read anything.
    let _ = upload.write(Bytes::from_static(b"{")).await;
    let arrived = ask
        .ledger()
        .arrival(request.probe_id(), Patience::ANSWER.scaled())
        .await;
    if arrived.is_none() {
        let finding = REFUSED.finding().seen(&ask.observe(&upload).await);
        checks.push(
            finding
                .expected("the request at its upstream")
                .observed("nothing arrived"),
        );
    }
    Ok(())
}
