//! White space before a JSON answer.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/json_keepalive",
    claim: "white space that keeps a plain answer alive passes at once, and the JSON behind it parses",
    why: "CPA's `nonstream-keepalive-interval` writes line ends before the answer; a proxy that holds them defeats it",
    asks: "upstream ── \\n, \\n, then JSON ──▶ candidate ──▶ client, part by part",
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
    "streaming.json_keepalive_held",
    "keep-alive white space before a JSON answer is held back or changed",
    "long answers that are not streamed run into idle timers",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let parts = ["\n", "\n", "{\"id\":\"resp_1\"}"];
    let stream = LockStep::answer_to(streaming_request(ask)).media_type("application/json");
    stream
        .parts(parts)
        .play_beyond_events(ask, checks, HELD)
        .await
}
