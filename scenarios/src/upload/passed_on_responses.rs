//! An upload to the route that wants it streamed.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::passed_on::passed_on;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "upload/passed_on_responses",
    claim: "a request body to a route that asks for it reaches the upstream as it is sent, chunked or not",
    why: "Codex sends its whole history with each turn; a proxy that collects it first adds the time of the upload to every turn, and writes it to disk",
    asks: "client ── part 1 ──▶ candidate ──▶ upstream has it? only then part 2, 3",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::StreamedBody],
    stage: StageUse::Shared,
    findings: &[WAITS],
    breaks: &[Break::new("buffer_request", WAITS.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const WAITS: Code = Code::new(
    "upload.not_passed_on",
    "a request body is collected before the upstream hears of it",
    "each turn starts later by the time its upload takes, and prompts are written to disk",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for endpoint in ask.deployment().streamed_uploads() {
        checks.about(format!("{} {}", endpoint.method, endpoint.target));
        passed_on(ask, checks, &endpoint, WAITS).await?;
    }
    Ok(())
}
