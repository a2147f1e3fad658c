//! Events in chunks.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/one_event_at_a_time",
    claim: "every event reaches the client before the next is written",
    why: "answers that arrive in one lump are the most reported fault of all (claude-relay-service#60, openai-forward#22, open-webui#4913)",
    asks: "upstream ── event 1 (chunked) ──▶ candidate ──▶ client saw it? only then event 2, 3",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[HELD],
    breaks: &[
        Break::new("buffer_response", HELD.name),
        Break::new("coalesce_events", HELD.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD: Code = Code::new(
    "streaming.events_held",
    "events are held back",
    "the answer arrives in lumps, and clients with an idle timer give up",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    LockStep::answer_to(streaming_request(ask))
        .play(ask, checks, HELD)
        .await
}
