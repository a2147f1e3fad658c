//! To the chat completions API.

use serde_json::{Value, json};

use super::frame::Frame;
use crate::upstream::cpa::provider::{CREATED, ChatEvent, Dialect, Model, Usage};

/// Makes chunks of what a provider sends; `[DONE]` is dropped here, and written when the stream ends.
#[derive(Debug)]
pub(crate) struct ChatFrames<'a> {
    pub(crate) model: &'a Model,
}

impl ChatFrames<'_> {
    pub(crate) fn event(&self, event: &ChatEvent) -> Vec<Frame> {
        let data = match (self.model.dialect, event) {
            (_, ChatEvent::Done) => None,
            // An OpenAI-style provider's chunks pass verbatim.
            (Dialect::OpenAi, event) => Some(event.data(&self.model.id)),
            (Dialect::Codex, event) => self.responses_chunk(event),
            (Dialect::Claude, event) => self.messages_chunk(event),
        };
        data.map(Frame::data).into_iter().collect()
    }

    /// The Codex executor's chunks name every field of a delta, most of them null.
    fn responses_chunk(&self, event: &ChatEvent) -> Option<String> {
        let mut delta = json!({
            "role": null,
            "content": null,
            "reasoning_content": null,
            "tool_calls": null,
        });
        let mut finish = Value::Null;
        match event {
            ChatEvent::Role | ChatEvent::Done => return None,
            ChatEvent::Reasoning(piece) => delta["reasoning_content"] = json!(piece),
            ChatEvent::Text(piece) => delta["content"] = json!(piece),
            ChatEvent::CallStarted { id, name } => {
                let function = json!({"name": name, "arguments": ""});
                delta["tool_calls"] =
                    json!([{"index": 0, "id": id, "type": "function", "function": function}]);
            }
            ChatEvent::CallArguments(piece) => {
                delta["tool_calls"] = json!([{"index": 0, "function": {"arguments": piece}}]);
            }
            ChatEvent::Finished { reason, .. } => finish = json!(reason),
        }
        if !matches!(
            event,
            ChatEvent::CallArguments(_) | ChatEvent::Finished { .. }
        ) {
            delta["role"] = json!("assistant");
        }
        let choice = json!({
            "index": 0,
            "delta": delta,
            "finish_reason": finish,
            "native_finish_reason": finish,
        });
        let mut chunk = self.chunk(&choice);
        if let ChatEvent::Finished { usage, .. } = event {
            chunk["usage"] = responses_usage(*usage);
        }
        Some(chunk.to_string())
    }

    fn messages_chunk(&self, event: &ChatEvent) -> Option<String> {
        let (delta, finish) = match event {
            ChatEvent::Role => (json!({"role": "assistant"}), Value::Null),
            ChatEvent::Reasoning(piece) => (json!({"reasoning_content": piece}), Value::Null),
            ChatEvent::Text(piece) => (json!({"content": piece}), Value::Null),
            ChatEvent::Finished { reason, .. } => (json!({}), json!(reason)),
            ChatEvent::CallStarted { .. } | ChatEvent::CallArguments(_) | ChatEvent::Done => {
                return None;
            }
        };
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let mut chunk = self.chunk(&choice);
        if let ChatEvent::Finished { usage, .. } = event {
            chunk["usage"] = messages_usage(*usage);
        }
        Some(chunk.to_string())
    }

    fn chunk(&self, choice: &Value) -> Value {
        json!({
            "id": self.model.answer_id(),
            "object": "chat.completion.chunk",
            "created": CREATED,
            "model": self.model.id,
            "choices": [choice],
        })
    }
}

/// The chat completion made of a whole answer of another API.
pub(crate) fn chat_from_turn(model: &Model) -> Value {
    let turn = &model.turn;
    let mut message = json!({"role": "assistant", "content": turn.whole_text()});
    let mut choice = json!({"index": 0, "message": null, "finish_reason": "stop"});
    let usage = match model.dialect {
        Dialect::Claude => messages_usage(turn.usage),
        _ => {
            message["reasoning_content"] = Value::Null;
            message["tool_calls"] = Value::Null;
            choice["native_finish_reason"] = json!("stop");
            responses_usage(turn.usage)
        }
    };
    choice["message"] = message;
    json!({
        "id": model.answer_id(),
        "object": "chat.completion",
        "created": CREATED,
        "model": model.id,
        "choices": [choice],
        "usage": usage,
    })
}

fn responses_usage(usage: Usage) -> Value {
    json!({
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens": usage.input,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

fn messages_usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": 0},
    })
}
