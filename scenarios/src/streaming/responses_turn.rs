//! A turn as Codex asks for it.

use proxyproof_harness::probe::SseDecoder;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::completion::completion;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/responses_turn",
    claim: "a streamed Responses turn arrives with all its events, in order, up to response.completed",
    why: "Codex retries the whole turn five times when response.completed does not come",
    asks: "client ── POST /v1/responses, stream ──▶ candidate ──▶ cpa: response.created … response.completed",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::Kind("cpa")],
    stage: StageUse::Shared,
    findings: &[BROKEN],
    breaks: &[
        Break::new("lose_last_event", BROKEN.name),
        Break::new("drop_authorization", BROKEN.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const BROKEN: Code = Code::new(
    "streaming.responses_turn_broken",
    "a streamed turn does not arrive as the gateway wrote it",
    "Codex reports `stream closed before response.completed` and starts over",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let body = r#"{"model":"gpt-5-codex","stream":true,"input":"hi"}"#;
    let seen = ask.exchange(completion(ask, "/v1/responses", body)).await?;
    checks.status(&seen, 200, BROKEN);
    let mut decoder = SseDecoder::new();
    let events = seen
        .answer
        .as_ref()
        .map(|answer| decoder.feed(answer.head_at, &answer.body))
        .unwrap_or_default();
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    let framed =
        names.first() == Some(&"response.created") && names.last() == Some(&"response.completed");
    checks.ensure(
        framed && names.contains(&"response.output_text.delta"),
        || {
            let finding = BROKEN
                .finding()
                .seen(&seen)
                .expected("response.created, …, response.output_text.delta, …, response.completed");
            finding.observed(names.join(", "))
        },
    );
    Ok(())
}
