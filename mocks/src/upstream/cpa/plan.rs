//! What a request to a model will bring, decided before anything is sent: the provider is scripted.

use std::time::Duration;

use serde_json::{Value, json};

use super::asked::Asked;
use super::provider::{
    Dialect, End, Model, Timeline, Usage, chat_answer, chat_stream, messages_answer,
};
use super::refusal::{Shape, claude_from_provider, from_sentence};
use super::score::score;
use super::translation::{Breakdown, Score};
use super::usage::Outcome;
use super::whole_answer::whole_body;

/// The API that a client speaks to CPA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientApi {
    Chat,
    Completions,
    Responses,
    Messages,
    /// Gemini's, as events.
    Gemini,
    /// Gemini's, as bare pieces of JSON.
    GeminiRaw,
    /// The compaction of a conversation, which is never streamed.
    Compact,
}

/// Whether a client wants a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Whole,
    Streamed,
}

/// What comes, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// One answer, after some time; an error with its status too.
    Whole {
        after: Duration,
        status: u16,
        body: String,
    },
    /// A stream.
    Streamed(Score),
}

/// A plan, and what the usage record will say of it.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) usage: Usage,
    pub(crate) outcome: Outcome,
    pub(crate) response_headers: Vec<(&'static str, String)>,
}

impl ClientApi {
    /// The shape of its errors.
    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::Messages => Shape::Claude,
            _ => Shape::OpenAi,
        }
    }
}

/// Plans the answer of `model` to `asked`.
pub(crate) fn plan(api: ClientApi, mode: Mode, model: &Model, asked: &Asked) -> Planned {
    if let Some(refused) = refused(api, model) {
        return refused;
    }
    match mode {
        Mode::Streamed => streamed(api, model, asked),
        Mode::Whole => whole(api, model, asked),
    }
}

/// The answer of a provider that does not answer, or with an error.
fn refused(api: ClientApi, model: &Model) -> Option<Planned> {
    let (status, said, body) = match model.end {
        End::Refused(status) => {
            let said = provider_error(status);
            (status, said.clone(), passed_on(api, model, status, &said))
        }
        End::Early => {
            let message = format!("Post \"{}\": EOF", provider_url(model.dialect));
            let body = from_sentence(api.shape(), 500, &message);
            (500, message, body)
        }
        _ => return None,
    };
    let response_headers = match model.end {
        End::Refused(_) => json_headers(said.len()),
        _ => Vec::new(),
    };
    Some(Planned {
        plan: Plan::Whole {
            after: model.silence_time(),
            status,
            body,
        },
        usage: Usage {
            input: 0,
            output: 0,
        },
        outcome: Outcome::Failed { status, body: said },
        response_headers,
    })
}

/// A provider's error as this client gets it.
fn passed_on(api: ClientApi, model: &Model, status: u16, said: &str) -> String {
    let error: Value = serde_json::from_str(said).unwrap_or_default();
    if api == ClientApi::Messages {
        return claude_from_provider(status, &error);
    }
    if model.dialect != Dialect::Codex {
        return said.to_owned();
    }
    let error = &error["error"];
    let (kind, code) = match status {
        401 => (json!("authentication_error"), json!("auth_unavailable")),
        _ => (error["type"].clone(), error["code"].clone()),
    };
    json!({"error": {"type": kind, "code": code, "message": error["message"]}}).to_string()
}

fn streamed(api: ClientApi, model: &Model, asked: &Asked) -> Planned {
    let score = score(api, model, asked);
    let (outcome, usage) = match &score.breakdown {
        None => (Outcome::Succeeded, model.turn.usage),
        Some(breakdown) => (
            Outcome::Failed {
                status: breakdown.status,
                body: breakdown.message.clone(),
            },
            NO_USAGE,
        ),
    };
    Planned {
        plan: Plan::Streamed(score),
        usage,
        outcome,
        response_headers: stream_headers(),
    }
}

fn whole(api: ClientApi, model: &Model, asked: &Asked) -> Planned {
    // CPA passes `stream` on as it came; a provider that takes a text for true answers with events, which CPA
    // takes for the body.
    let raw =
        api == ClientApi::Chat && model.dialect == Dialect::OpenAi && asked.streams_truthily();
    if raw {
        return raw_events(model);
    }
    if model.dialect == Dialect::Codex {
        return whole_of_stream(api, model, asked);
    }
    let body = whole_body(api, model, asked);
    let provider_length = match model.dialect {
        Dialect::Claude => messages_answer(model).to_string().len(),
        _ => chat_answer(model).to_string().len(),
    };
    Planned {
        plan: Plan::Whole {
            after: model.silence_time(),
            status: 200,
            body,
        },
        usage: model.turn.usage,
        outcome: Outcome::Succeeded,
        response_headers: json_headers(provider_length),
    }
}

fn raw_events(model: &Model) -> Planned {
    let timeline = chat_stream(model);
    let events = timeline.emissions.iter();
    let body = events
        .map(|emission| format!("data: {}\n\n", emission.event.data(&model.id)))
        .collect();
    Planned {
        plan: Plan::Whole {
            after: length(&timeline),
            status: 200,
            body,
        },
        usage: model.turn.usage,
        outcome: Outcome::Succeeded,
        response_headers: stream_headers(),
    }
}

/// The Codex executor always streams, and answers with the response of the last event.
fn whole_of_stream(api: ClientApi, model: &Model, asked: &Asked) -> Planned {
    let score = score(ClientApi::Responses, model, asked);
    let after = score.beats.iter().map(|beat| beat.after).sum();
    let (status, body, outcome, usage) = match score.breakdown {
        None => {
            let body = whole_body(api, model, asked);
            (200, body, Outcome::Succeeded, model.turn.usage)
        }
        Some(breakdown) => {
            let Breakdown {
                status, message, ..
            } = breakdown;
            let body = from_sentence(api.shape(), status, &message);
            let outcome = Outcome::Failed {
                status,
                body: message,
            };
            (status, body, outcome, NO_USAGE)
        }
    };
    Planned {
        plan: Plan::Whole {
            after,
            status,
            body,
        },
        usage,
        outcome,
        response_headers: stream_headers(),
    }
}

fn length<E>(timeline: &Timeline<E>) -> Duration {
    timeline
        .emissions
        .iter()
        .map(|emission| emission.after)
        .sum()
}

/// The error of the scripted provider, spaced as it writes it.
fn provider_error(status: u16) -> String {
    format!(
        "{{\"error\": {{\"message\": \"mock {status}\", \"type\": \"mock_error\", \"code\": \"mock_{status}\"}}}}"
    )
}

const fn provider_url(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAi => "http://127.0.0.1:9100/v1/chat/completions",
        Dialect::Codex => "http://127.0.0.1:9100/codex/responses",
        Dialect::Claude => "http://127.0.0.1:9100/v1/messages?beta=true",
    }
}

fn json_headers(length: usize) -> Vec<(&'static str, String)> {
    vec![
        ("Content-Length", length.to_string()),
        ("Content-Type", "application/json".to_owned()),
    ]
}

fn stream_headers() -> Vec<(&'static str, String)> {
    vec![("Content-Type", "text/event-stream".to_owned())]
}

const NO_USAGE: Usage = Usage {
    input: 0,
    output: 0,
};
