//! Streams that the upstream cuts.

use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Purpose, Scenario, SiteNeed, StageUse,
};
use proxyproof_mocks::{EventFraming, Script};

use crate::lock_step::streaming_request;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/truncation_is_visible",
    claim: "a stream that the upstream cuts is visibly cut for the client, however it is framed and cut",
    why: "codex#7197, #8309: a cut must be an abort (no last chunk, RST_STREAM), never a clean end, or half an answer is taken for a whole one",
    asks: "upstream ── two events, then FIN or RST, in chunks or short of Content-Length ──▶ candidate ──▶ client: not a complete body",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Endpoint(Purpose::Stream)],
    stage: StageUse::WithErrors,
    findings: &[HIDDEN],
    breaks: &[Break::new("truncation_ends_cleanly", HIDDEN.name)],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const HIDDEN: Code = Code::new(
    "streaming.truncation_hidden",
    "an answer that the upstream cut looks whole to the client",
    "half an answer is stored as a whole one, and nothing is retried",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    for framing in [EventFraming::Chunked, EventFraming::Length(1000)] {
        for cut in [Script::fin, Script::rst] {
            let request = streaming_request(ask);
            let begun = Script::new()
                .read_body()
                .sse_head(framing)
                .event("one")
                .event("two");
            ask.script(&request, cut(begun));
            checks.about(format!("{framing:?}"));
            let seen = ask.exchange(request).await?;
            checks.visibly_cut(&seen, HIDDEN);
        }
    }
    Ok(())
}
