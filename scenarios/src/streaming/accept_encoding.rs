//! A client that accepts compression.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::lock_step::{LockStep, streaming_request};

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/accept_encoding",
    claim: "events are not held back for compression",
    why: "a compressing proxy buffers the stream (sub2api PR#4757, caddy#6293, traefik#11511), and Codex does not decode compressed answers",
    asks: "client ── Accept-Encoding: gzip, br, zstd ──▶ candidate ── the upstream's events ──▶ client, unencoded, one by one",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::Shared,
    findings: &[COMPRESSED],
    breaks: &[Break::new("compress_events", COMPRESSED.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const COMPRESSED: Code = Code::new(
    "streaming.compressed",
    "an event stream is compressed or held back for it",
    "clients that do not decode see garbage, the others see lumps",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let request = streaming_request(ask).header("Accept-Encoding", "gzip, br, zstd, deflate");
    LockStep::answer_to(request)
        .play_beyond_events(ask, checks, COMPRESSED)
        .await
}
