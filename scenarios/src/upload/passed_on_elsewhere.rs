//! Uploads to the other API routes.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};

use crate::passed_on::passed_on;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/passed_on_elsewhere",
    claim: "a request body to any API route reaches the upstream as it is sent",
    why: "only exact /v1/responses is told to stream in the published configuration: chat completions, messages and compact are spooled to disk above 10 KB",
    asks: "client ── part 1 of POST /v1/chat/completions ──▶ candidate ──▶ upstream has it? only then part 2, 3",
    level: Level::Recommended,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Upload)],
    stage: StageUse::Shared,
    findings: &[WAITS],
    breaks: &[Break::new("buffer_request", WAITS.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WAITS: Code = Code::new(
    "upload.not_passed_on_elsewhere",
    "a request body is collected before the upstream hears of it",
    "prompts to most API routes are written to disk, and start later by the time of their upload",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    passed_on(ask, checks, &ask.endpoint(Purpose::Upload), WAITS).await
}
