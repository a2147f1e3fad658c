//! What a request to a model will bring, decided before anything is sent: the provider is scripted.

use std::time::Duration;

use serde_json::{Value, json};

use super::asked::Asked;
use super::go_json::go_json;
use super::provider::{
    CREATED, ChatEvent, Dialect, End, Model, StreamEnd, Timeline, Usage, chat_answer, chat_stream,
    chat_view, completed_response, messages_answer, messages_stream, responses_stream,
};
use super::refusal::{Shape, claude_from_provider, from_sentence};
use super::token_estimate::estimated_tokens;
use super::translation::{
    Breakdown, ChatFrames, Frame, GeminiFromChat, MessagesFromChat, ResponsesFromChat, Score,
    chat_from_turn, completion, completion_score, content_from_turn, message_from_turn,
    response_from_turn, translate,
};
use super::usage::Outcome;

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

fn whole_body(api: ClientApi, model: &Model, asked: &Asked) -> String {
    let turn = &model.turn;
    let (id, created) = (model.answer_id(), CREATED);
    match (api, model.dialect) {
        (ClientApi::Chat, _) => whole_chat(model).to_string(),
        (ClientApi::Completions, _) => completion(&whole_chat(model)).to_string(),
        (ClientApi::Responses, Dialect::Codex) => completed_response(model).to_string(),
        (ClientApi::Responses, _) => go_json(&response_from_turn(id, created, &asked.json, turn)),
        (ClientApi::Messages, Dialect::Claude) => messages_answer(model).to_string(),
        (ClientApi::Messages, _) => go_json(&message_from_turn(&model.id, id, turn)),
        (ClientApi::Gemini | ClientApi::GeminiRaw, _) => {
            go_json(&content_from_turn(&model.id, turn))
        }
        (ClientApi::Compact, _) => compaction(model).to_string(),
    }
}

fn whole_chat(model: &Model) -> Value {
    match model.dialect {
        Dialect::OpenAi => chat_answer(model),
        _ => chat_from_turn(model),
    }
}

/// The compaction that a provider of the Responses API answers with.
fn compaction(model: &Model) -> Value {
    let response = completed_response(model);
    json!({
        "id": response["id"],
        "object": "response.compaction",
        "created_at": response["created_at"],
        "output": response["output"],
        "usage": response["usage"],
    })
}

fn score(api: ClientApi, model: &Model, asked: &Asked) -> Score {
    match (api, model.dialect) {
        (ClientApi::Responses, Dialect::Codex) => native_responses(model),
        (ClientApi::Messages, Dialect::Claude) => native_messages(model),
        (ClientApi::Chat | ClientApi::Compact, _) => chat_score(model),
        (ClientApi::Completions, _) => completion_score(chat_score(model)),
        (ClientApi::Responses, _) => responses_score(model, asked),
        (ClientApi::Messages, _) => messages_score(model, asked),
        (ClientApi::Gemini | ClientApi::GeminiRaw, _) => gemini_score(model),
    }
}

fn chat_score(model: &Model) -> Score {
    let timeline = chat_view(model);
    translate(
        &timeline,
        &mut ChatFrames { model },
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |_, _| (Vec::new(), broken(model, &timeline)),
    )
}

fn responses_score(model: &Model, asked: &Asked) -> Score {
    let timeline = chat_view(model);
    let mut frames = ResponsesFromChat::new(&model.id, model.answer_id(), CREATED, &asked.json);
    translate(
        &timeline,
        &mut frames,
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |_, _| {
            let unfinished = || Breakdown::new(502, "upstream stream closed before [DONE]");
            let breakdown =
                broken(model, &timeline).or_else(|| (!ended_well(&timeline)).then(unfinished));
            (Vec::new(), breakdown)
        },
    )
}

fn messages_score(model: &Model, asked: &Asked) -> Score {
    let timeline = chat_view(model);
    let input_tokens = estimated_tokens(&asked.json);
    let mut frames = MessagesFromChat::new(&model.id, model.answer_id(), input_tokens);
    translate(
        &timeline,
        &mut frames,
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |frames, _| finish_as_done(model, &timeline, || frames.event(&ChatEvent::Done)),
    )
}

fn gemini_score(model: &Model) -> Score {
    let timeline = chat_view(model);
    let mut frames = GeminiFromChat::new(&model.id);
    translate(
        &timeline,
        &mut frames,
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |frames, _| finish_as_done(model, &timeline, || frames.event(&ChatEvent::Done)),
    )
}

/// What a stream that ends without its terminal event brings, where CPA pretends that it came.
fn finish_as_done(
    model: &Model,
    timeline: &Timeline<Vec<ChatEvent>>,
    done: impl FnOnce() -> Vec<Frame>,
) -> (Vec<Frame>, Option<Breakdown>) {
    match broken(model, timeline) {
        Some(breakdown) => (Vec::new(), Some(breakdown)),
        None if ended_well(timeline) => (Vec::new(), None),
        None => (done(), None),
    }
}

fn ended_well(timeline: &Timeline<Vec<ChatEvent>>) -> bool {
    let last = timeline.emissions.last();
    last.is_some_and(|emission| emission.event.contains(&ChatEvent::Done))
}

/// Why a stream broke, where that is for its provider's executor to say.
fn broken(model: &Model, timeline: &Timeline<Vec<ChatEvent>>) -> Option<Breakdown> {
    if model.dialect == Dialect::Codex {
        return native_responses(model).breakdown;
    }
    aborted(timeline.end)
}

fn aborted(end: StreamEnd) -> Option<Breakdown> {
    (end == StreamEnd::Aborted).then(|| Breakdown::new(500, "unexpected EOF"))
}

/// A Responses-style provider's events pass untouched; its `response.failed` becomes an error of CPA's.
fn native_responses(model: &Model) -> Score {
    let timeline = responses_stream(model);
    let failure = timeline
        .emissions
        .iter()
        .find(|emission| emission.event.name == "response.failed")
        .map(|emission| failure(&emission.event.data));
    let completed = timeline
        .emissions
        .iter()
        .any(|emission| emission.event.name == "response.completed");
    translate(
        &timeline,
        &mut (),
        |(), event| match event.name {
            "response.failed" => Vec::new(),
            name => vec![Frame::named(name, event.data.to_string())],
        },
        |(), _| {
            let breakdown = failure
                .or_else(|| (!completed).then(|| Breakdown::new(408, CLOSED_BEFORE_COMPLETED)));
            (Vec::new(), breakdown)
        },
    )
}

fn failure(data: &Value) -> Breakdown {
    let error = &data["response"]["error"];
    let message = error["message"].as_str().unwrap_or_default();
    let mut breakdown = Breakdown::new(500, message);
    breakdown.code = error["code"].as_str().map(str::to_owned);
    breakdown
}

fn native_messages(model: &Model) -> Score {
    let timeline = messages_stream(model);
    translate(
        &timeline,
        &mut (),
        |(), event| vec![Frame::named(event.name, event.data.to_string())],
        |(), end| (Vec::new(), aborted(end)),
    )
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

const CLOSED_BEFORE_COMPLETED: &str = "stream error: stream disconnected before completion: \
     stream closed before response.completed";
