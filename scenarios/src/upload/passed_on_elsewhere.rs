//! Uploads to the other API routes.

use proxyproof_harness::{Break, Code, Level, Protocol, Scenario, SiteNeed, StageUse};

use crate::passed_on::passed_on;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/passed_on_elsewhere",
    claim: "a request body to any API route reaches the upstream as it is sent",
    why: "only exact /v1/responses is told to stream in the published configuration: chat completions, messages and compact are spooled to disk above 10 KB",
    asks: "client ── part 1 of POST /v1/chat/completions ──▶ candidate ──▶ cpa has it? only then part 2, 3",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa")],
    stage: StageUse::Shared,
    findings: &[WAITS],
    breaks: &[Break::new("buffer_request", WAITS.name)],
    run: |ask, checks| Box::pin(passed_on(ask, checks, "/v1/chat/completions", WAITS)),
};

const WAITS: Code = Code::new(
    "upload.not_passed_on_elsewhere",
    "a request body is collected before the upstream hears of it",
    "prompts to most API routes are written to disk, and start later by the time of their upload",
);
