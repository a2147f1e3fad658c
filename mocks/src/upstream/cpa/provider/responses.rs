//! What a Responses-style provider sends: always a stream.

use serde_json::{Value, json};

use super::chat::CREATED;
use super::model::{End, Model};
use super::pace::{StreamEnd, Timeline};
use super::turn::Usage;

/// An event of a Responses stream: its name, and its `data`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResponsesEvent {
    pub(crate) name: &'static str,
    pub(crate) data: Value,
}

impl ResponsesEvent {
    fn new(name: &'static str, fields: Value) -> Self {
        let mut data = json!({"type": name});
        if let (Value::Object(data), Value::Object(fields)) = (&mut data, fields) {
            data.extend(fields);
        }
        Self { name, data }
    }
}

/// The stream of `model`.
pub(crate) fn responses_stream(model: &Model) -> Timeline<ResponsesEvent> {
    let (mut events, end) = match model.end {
        End::Cut(pieces) => (opened(model, pieces), StreamEnd::Aborted),
        End::Unfinished(pieces) => (opened(model, pieces), StreamEnd::Closed),
        End::Failed => (failed(model), StreamEnd::Closed),
        _ => (whole(model), StreamEnd::Closed),
    };
    for (number, event) in events.iter_mut().enumerate() {
        event.data["sequence_number"] = json!(number);
    }
    Timeline::paced(model, events, end)
}

fn whole(model: &Model) -> Vec<ResponsesEvent> {
    let text = model.turn.whole_text();
    let place = json!({"item_id": ITEM_ID, "output_index": 0, "content_index": 0});
    let mut events = opened(model, usize::MAX);
    events.push(ResponsesEvent::new(
        "response.output_text.done",
        with(&place, "text", json!(text)),
    ));
    events.push(ResponsesEvent::new(
        "response.content_part.done",
        with(&place, "part", text_part(&text)),
    ));
    events.push(ResponsesEvent::new(
        "response.output_item.done",
        json!({"output_index": 0, "item": item("completed", &json!([text_part(&text)]))}),
    ));
    events.push(ResponsesEvent::new(
        "response.completed",
        json!({"response": completed(model)}),
    ));
    events
}

fn opened(model: &Model, pieces: usize) -> Vec<ResponsesEvent> {
    let place = json!({"item_id": ITEM_ID, "output_index": 0, "content_index": 0});
    let mut events = begun(model);
    events.push(ResponsesEvent::new(
        "response.content_part.added",
        with(&place, "part", text_part("")),
    ));
    events.extend(model.turn.text.iter().take(pieces).map(|piece| {
        ResponsesEvent::new(
            "response.output_text.delta",
            with(&place, "delta", json!(piece)),
        )
    }));
    events
}

fn failed(model: &Model) -> Vec<ResponsesEvent> {
    let mut response = response(model, "failed", &json!([]));
    response["error"] = json!({"code": "server_error", "message": "mock failed"});
    let mut events = begun(model);
    events.push(ResponsesEvent::new(
        "response.failed",
        json!({"response": response}),
    ));
    events
}

fn begun(model: &Model) -> Vec<ResponsesEvent> {
    let response = response(model, "in_progress", &json!([]));
    vec![
        ResponsesEvent::new("response.created", json!({"response": response})),
        ResponsesEvent::new("response.in_progress", json!({"response": response})),
        ResponsesEvent::new(
            "response.output_item.added",
            json!({"output_index": 0, "item": item("in_progress", &json!([]))}),
        ),
    ]
}

/// The response object of a completed turn.
pub(crate) fn completed(model: &Model) -> Value {
    let content = json!([text_part(&model.turn.whole_text())]);
    let mut response = response(model, "completed", &json!([item("completed", &content)]));
    response["usage"] = responses_usage(model.turn.usage);
    response
}

fn response(model: &Model, status: &str, output: &Value) -> Value {
    json!({
        "id": RESPONSE_ID,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": model.id,
        "output": output,
    })
}

fn item(status: &str, content: &Value) -> Value {
    json!({
        "id": ITEM_ID,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": []})
}

fn responses_usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.total(),
    })
}

fn with(fields: &Value, name: &str, value: Value) -> Value {
    let mut fields = fields.clone();
    fields[name] = value;
    fields
}

const RESPONSE_ID: &str = "resp_mock1";
const ITEM_ID: &str = "msg_1";
