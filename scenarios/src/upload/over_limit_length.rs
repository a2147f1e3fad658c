//! A body that announces too much.

use proxyproof_harness::Patience;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/over_limit_length",
    claim: "a Content-Length beyond the limit is refused with 413 before the upstream hears of it",
    why: "the limit of the deployment protects the programs, which have none of their own",
    asks: "client ── Content-Length: limit + 1 ──▶ candidate ── 413, nothing forwarded",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[
        SiteNeed::Endpoint(Purpose::Stream),
        SiteNeed::RequestBody,
        SiteNeed::BodyLimit,
    ],
    stage: StageUse::Shared,
    findings: &[TAKEN],
    breaks: &[
        Break::new("no_length_limit", TAKEN.name),
        Break::new("late_length_refusal", TAKEN.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const TAKEN: Code = Code::new(
    "upload.limit_ignored",
    "a body beyond the limit is not refused with 413 at once",
    "anybody can fill the memory of a program behind the proxy",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = ask.completion().streamed_length(ask.request_body() + 1);
    let connection = ask.client().connect().await?;
    let mut upload = connection
        .open(&request)
        .await?
        .patience(Patience::LOCK_STEP);
    checks.head_comes(ask, &mut upload, TAKEN).await;
    let seen = ask.observe(&upload).await;
    checks.status(&seen, 413, TAKEN);
    checks.not_arrived(&seen, TAKEN);
    Ok(())
}
