//! Comments in an event stream.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/comments",
    claim: "keep-alive comments reach the client as they are, at once, between events and inside one",
    why: "comments keep long turns alive (CLIProxyAPI#4691); one between `event:` and `data:` (CLIProxyAPI#4047) must not be repaired either",
    asks: "upstream ── : keep-alive ──▶ candidate ──▶ client, byte for byte, before anything else is written",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[CHANGED],
    breaks: &[Break::new("drop_comments", CHANGED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const CHANGED: Code = Code::new(
    "streaming.comments_changed",
    "comments of an event stream are dropped, changed or held back",
    "idle timers along the way cut a turn while the model thinks",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let parts = [
        ": keep-alive\n\n",
        "event: a\n: keep-alive\n",
        "data: {}\n\n",
        ": keep-alive\n\n",
    ];
    LockStep::answer_to(streaming_request(ask))
        .parts(parts)
        .play_beyond_events(ask, checks, CHANGED)
        .await
}
