//! Events in a body of known length.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{BodyFraming, LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/length_framed",
    claim: "events reach the client one by one in a body with Content-Length too",
    why: "what is buffered often depends on the framing: a chunked stream alone does not show it",
    asks: "upstream ── event 1 (Content-Length) ──▶ candidate ──▶ client saw it? only then event 2, 3",
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
    "streaming.length_framed_held",
    "events of a body with Content-Length are held back",
    "downloads and replayed streams arrive in one lump",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let stream = LockStep::answer_to(streaming_request(ask)).framing(BodyFraming::Length);
    stream.play(ask, checks, HELD).await
}
