//! An event of 1 MiB.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, event_of, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/large_event",
    claim: "an event larger than any buffer arrives whole and unchanged",
    why: "images and the last event of a long turn have hundreds of kilobytes",
    asks: "upstream ── event of 1 MiB ──▶ candidate ──▶ client, every byte",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[DAMAGED],
    breaks: &[Break::new("corrupt_response", DAMAGED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const DAMAGED: Code = Code::new(
    "streaming.large_event_damaged",
    "a large event does not arrive as it was written",
    "the turn's last event cannot be parsed",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let parts = [event_of(1 << 20), event_of(10)];
    LockStep::answer_to(streaming_request(ask))
        .parts(parts)
        .play(ask, checks, DAMAGED)
        .await
}
