//! An event in several writes.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/split_event",
    claim: "a part of an event is passed on without waiting for its end",
    why: "a long tool call is written in pieces; a proxy that waits for the empty line delays them all",
    asks: "upstream ── half an event ──▶ candidate ──▶ client saw it? only then the other half",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[HELD],
    breaks: &[Break::new("hold_partial_events", HELD.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD: Code = Code::new(
    "streaming.split_event_held",
    "a part of an event waits for the rest",
    "long events arrive late",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let parts = ["data: {\"a\"", ":1}\n", "\n"];
    LockStep::answer_to(streaming_request(ask))
        .parts(parts)
        .play_beyond_events(ask, checks, HELD)
        .await
}
