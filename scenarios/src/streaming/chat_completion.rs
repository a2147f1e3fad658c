//! A completion as OpenAI clients ask for it.

use proxyproof_harness::Answer;
use proxyproof_harness::{
    Ask, Break, Checks, Code, HarnessError, Level, Protocol, Scenario, SiteNeed, StageUse,
};

use crate::completion::completion;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "streaming/chat_completion",
    claim: "a streamed chat completion arrives with all its events, in order, up to [DONE]",
    why: "the answer that most clients wait for, from the AI gateway itself and not from a script",
    asks: "client ── POST /v1/chat/completions, stream ──▶ candidate ──▶ cpa: chunks, then [DONE]",
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
    "streaming.chat_completion_broken",
    "a streamed chat completion does not arrive as the gateway wrote it",
    "OpenAI clients show nothing, or half an answer",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let body = r#"{"model":"m-fast","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let seen = ask
        .exchange(completion(ask, "/v1/chat/completions", body))
        .await?;
    checks.status(&seen, 200, BROKEN);
    let text = seen.answer.as_ref().map(Answer::text).unwrap_or_default();
    let whole = ["\"Hel\"", "\"lo \"", "\"world.\"", "data: [DONE]\n\n"];
    let places: Vec<Option<usize>> = whole.iter().map(|part| text.find(part)).collect();
    let mut events = text.split_terminator("\n\n");
    checks.ensure(
        places.iter().all(Option::is_some)
            && places.is_sorted()
            && events.all(|event| event.starts_with("data: ")),
        || {
            BROKEN
                .finding()
                .seen(&seen)
                .expected("events of data alone: Hel, lo , world., [DONE] in this order")
                .observed(text.clone())
        },
    );
    Ok(())
}
