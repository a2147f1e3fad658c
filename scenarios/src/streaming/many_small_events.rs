//! 2 000 events in one go.

use bytes::Bytes;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{EventFraming, Script};

use crate::lock_step::streaming_request;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/many_small_events",
    claim: "2 000 small events written as fast as possible all arrive, in order",
    why: "fast models write hundreds of deltas a second; each is small and none may be lost or swapped",
    asks: "upstream ── 2 000 events ──▶ candidate ──▶ client: all of them, in order, then the end",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[LOST],
    breaks: &[Break::new("lose_last_event", LOST.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const LOST: Code = Code::new(
    "streaming.events_lost",
    "of many small events some are lost, changed or out of order",
    "text is missing from answers",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = streaming_request(ask);
    let events: Vec<Bytes> = (0..EVENTS)
        .map(|number| Bytes::from(format!("data: {{\"n\":{number}}}\n\n")))
        .collect();
    let begun = Script::new().read_body().sse_head(EventFraming::Chunked);
    let script = events
        .iter()
        .fold(begun, |script, event| script.chunk(event.clone()))
        .last_chunk();
    ask.script(&request, script);
    let seen = ask.exchange(request).await?;
    checks.answer_body(&seen, &events.concat(), LOST);
    Ok(())
}

const EVENTS: usize = 2000;
