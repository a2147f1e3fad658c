//! What an Anthropic-style provider sends: messages, whole and streamed.

use serde_json::{Value, json};

use super::model::{End, Model};
use super::pace::{StreamEnd, Timeline};

/// An event of a messages stream: its name, and its `data`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MessagesEvent {
    pub(crate) name: &'static str,
    pub(crate) data: Value,
}

impl MessagesEvent {
    fn new(data: Value, name: &'static str) -> Self {
        Self { name, data }
    }
}

/// The stream of `model`.
pub(crate) fn messages_stream(model: &Model) -> Timeline<MessagesEvent> {
    let (events, end) = match model.end {
        End::Cut(pieces) => (opened(model, pieces), StreamEnd::Aborted),
        End::Unfinished(pieces) => (opened(model, pieces), StreamEnd::Closed),
        _ => {
            let mut events = opened(model, usize::MAX);
            events.extend(closing(model));
            (events, StreamEnd::Closed)
        }
    };
    Timeline::paced(model, events, end)
}

fn opened(model: &Model, pieces: usize) -> Vec<MessagesEvent> {
    let block = json!({"type": "text", "text": ""});
    let mut events = vec![
        MessagesEvent::new(
            json!({"type": "message_start", "message": message(model, &json!([]), &Value::Null, 1)}),
            "message_start",
        ),
        MessagesEvent::new(
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
            "content_block_start",
        ),
        MessagesEvent::new(json!({"type": "ping"}), "ping"),
    ];
    events.extend(model.turn.text.iter().take(pieces).map(|piece| {
        let delta = json!({"type": "text_delta", "text": piece});
        MessagesEvent::new(
            json!({"type": "content_block_delta", "index": 0, "delta": delta}),
            "content_block_delta",
        )
    }));
    events
}

fn closing(model: &Model) -> [MessagesEvent; 3] {
    let delta = json!({"stop_reason": "end_turn", "stop_sequence": null});
    let usage = json!({"output_tokens": model.turn.usage.output});
    [
        MessagesEvent::new(
            json!({"type": "content_block_stop", "index": 0}),
            "content_block_stop",
        ),
        MessagesEvent::new(
            json!({"type": "message_delta", "delta": delta, "usage": usage}),
            "message_delta",
        ),
        MessagesEvent::new(json!({"type": "message_stop"}), "message_stop"),
    ]
}

/// The answer of `model` to a request that does not stream.
pub(crate) fn messages_answer(model: &Model) -> Value {
    let content = json!([{"type": "text", "text": model.turn.whole_text()}]);
    message(model, &content, &json!("end_turn"), model.turn.usage.output)
}

fn message(model: &Model, content: &Value, stop_reason: &Value, output_tokens: u64) -> Value {
    json!({
        "id": MESSAGE_ID,
        "type": "message",
        "role": "assistant",
        "model": model.id,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {"input_tokens": model.turn.usage.input, "output_tokens": output_tokens},
    })
}

const MESSAGE_ID: &str = "msg_mock1";
