//! Streams of other media types, and streams that GET asks for.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/media_types",
    claim: "what is streamed does not depend on the media type or the method",
    why: "detection by exact content type misses `; charset=utf-8`, NDJSON and GET (cloudflared#1496, #1449, #199)",
    asks: "upstream ── parts as text/event-stream; charset=utf-8, application/x-ndjson, to GET ──▶ candidate ──▶ client, part by part",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[HELD],
    breaks: &[Break::new("stream_events_only", HELD.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HELD: Code = Code::new(
    "streaming.media_type_held",
    "whether a stream is held back depends on its media type or method",
    "some routes stream and others arrive in one lump",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for media_type in [
        "text/event-stream; charset=utf-8",
        "application/x-ndjson",
        "application/json",
    ] {
        checks.about(media_type);
        LockStep::answer_to(streaming_request(ask))
            .media_type(media_type)
            .play_beyond_events(ask, checks, HELD)
            .await?;
        if !checks.findings().is_empty() {
            return Ok(());
        }
    }
    if ask.deployment().endpoint(Purpose::Plain).is_none() {
        return Ok(());
    }
    checks.about("GET");
    LockStep::answer_to(ask.plain_with("stream=true"))
        .play_beyond_events(ask, checks, HELD)
        .await
}
