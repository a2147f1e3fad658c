//! An answer that asks for buffering.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{BodyFraming, LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/accel_buffering_yes",
    claim: "a program's X-Accel-Buffering does not switch buffering on",
    why: "a provider's header that CPA relays would turn a stream into a lump (NGINX obeys it unless told otherwise)",
    asks: "upstream ── X-Accel-Buffering: yes, events ──▶ candidate ──▶ client, event by event",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[OBEYED],
    breaks: &[Break::new("honour_accel_buffering", OBEYED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const OBEYED: Code = Code::new(
    "streaming.accel_buffering_obeyed",
    "an upstream's X-Accel-Buffering switches buffering on",
    "whoever is behind the gateway decides whether clients see a stream",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let stream = LockStep::answer_to(streaming_request(ask)).framing(BodyFraming::Close);
    stream
        .field("X-Accel-Buffering", "yes")
        .play_beyond_events(ask, checks, OBEYED)
        .await
}
