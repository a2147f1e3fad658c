//! What an OpenAI-style provider sends: chat completions, whole and streamed.

use serde_json::{Value, json};

use super::model::{End, Model};
use super::pace::{StreamEnd, Timeline};
use super::turn::{Turn, Usage};

/// An event of a chat completion stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChatEvent {
    /// The first one: who speaks.
    Role,
    /// A piece of reasoning.
    Reasoning(String),
    /// A piece of text.
    Text(String),
    /// A tool call begins.
    CallStarted { id: String, name: String },
    /// Its arguments.
    CallArguments(String),
    /// The choice is finished.
    Finished { reason: &'static str, usage: Usage },
    /// `[DONE]`.
    Done,
}

impl ChatEvent {
    /// The `data` of the event, as the provider wrote it.
    pub(crate) fn data(&self, model: &str) -> String {
        match self {
            Self::Role => chunk(model, &json!({"role": "assistant", "content": ""})),
            Self::Reasoning(piece) => chunk(model, &json!({"reasoning_content": piece})),
            Self::Text(piece) => chunk(model, &json!({"content": piece})),
            Self::CallStarted { id, name } => {
                let function = json!({"name": name, "arguments": ""});
                let call = json!({"index": 0, "id": id, "type": "function", "function": function});
                chunk(model, &json!({"tool_calls": [call]}))
            }
            Self::CallArguments(arguments) => {
                let call = json!({"index": 0, "function": {"arguments": arguments}});
                chunk(model, &json!({"tool_calls": [call]}))
            }
            Self::Finished { reason, usage } => {
                let mut value = chunk_value(model, &json!({}), &json!(reason));
                value["usage"] = chat_usage(*usage);
                value.to_string()
            }
            Self::Done => "[DONE]".to_owned(),
        }
    }
}

/// The stream of `model`.
pub(crate) fn chat_stream(model: &Model) -> Timeline<ChatEvent> {
    let turn = &model.turn;
    let head = std::iter::once(ChatEvent::Role)
        .chain(turn.reasoning.iter().cloned().map(ChatEvent::Reasoning));
    let text = |pieces: usize| turn.text.iter().take(pieces).cloned().map(ChatEvent::Text);
    let (events, end) = match model.end {
        End::Cut(pieces) => (head.chain(text(pieces)).collect(), StreamEnd::Aborted),
        End::Unfinished(pieces) => (head.chain(text(pieces)).collect(), StreamEnd::Closed),
        _ => {
            let whole = head.chain(text(usize::MAX)).chain(closing(turn)).collect();
            (whole, StreamEnd::Closed)
        }
    };
    Timeline::paced(model, events, end)
}

fn closing(turn: &Turn) -> Vec<ChatEvent> {
    let mut events = Vec::new();
    if let Some(call) = &turn.call {
        events.push(ChatEvent::CallStarted {
            id: call.id.clone(),
            name: call.name.clone(),
        });
        events.push(ChatEvent::CallArguments(call.arguments.clone()));
    }
    events.push(ChatEvent::Finished {
        reason: finish_reason(turn),
        usage: turn.usage,
    });
    events.push(ChatEvent::Done);
    events
}

/// The answer of `model` to a request that does not stream.
pub(crate) fn chat_answer(model: &Model) -> Value {
    let turn = &model.turn;
    let mut message = json!({"role": "assistant", "content": turn.whole_text()});
    if !turn.reasoning.is_empty() {
        message["reasoning_content"] = json!(turn.whole_reasoning());
    }
    if let Some(call) = &turn.call {
        if turn.text.is_empty() {
            message["content"] = Value::Null;
        }
        let function = json!({"name": call.name, "arguments": call.arguments});
        message["tool_calls"] = json!([{"id": call.id, "type": "function", "function": function}]);
    }
    json!({
        "id": CHAT_ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": model.id,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(turn)}],
        "usage": chat_usage(turn.usage),
    })
}

const fn finish_reason(turn: &Turn) -> &'static str {
    match turn.call {
        Some(_) => "tool_calls",
        None => "stop",
    }
}

fn chunk(model: &str, delta: &Value) -> String {
    chunk_value(model, delta, &Value::Null).to_string()
}

fn chunk_value(model: &str, delta: &Value, finish_reason: &Value) -> Value {
    json!({
        "id": CHAT_ID,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    })
}

/// Usage in the words of chat completions.
pub(crate) fn chat_usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
    })
}

/// The identifier of every chat completion.
pub(crate) const CHAT_ID: &str = "chatcmpl-mock1";

/// The time, in Unix seconds, at which every answer says it was created.
pub(crate) const CREATED: u64 = 1_700_000_000;
