//! To the Responses API.

use serde_json::{Map, Value, json};

use super::frame::Frame;
use super::response_object::{call_item, echo, message_item, summary_part, text_part};
use crate::upstream::cpa::go_json::go_json;
use crate::upstream::cpa::provider::{ChatEvent, Usage};

/// Makes Responses events of chat completions.
#[derive(Debug)]
pub(crate) struct ResponsesFromChat<'a> {
    model: &'a str,
    id: &'a str,
    created: u64,
    request: &'a Value,
    sequence: u64,
    next_output: usize,
    open: Option<Open>,
    output: Vec<Value>,
    usage: Option<Usage>,
}

/// The output item that is being made.
#[derive(Debug)]
enum Open {
    Reasoning {
        at: usize,
        text: String,
    },
    Message {
        at: usize,
        text: String,
    },
    Call {
        at: usize,
        id: String,
        name: String,
        arguments: String,
    },
}

impl<'a> ResponsesFromChat<'a> {
    pub(crate) const fn new(model: &'a str, id: &'a str, created: u64, request: &'a Value) -> Self {
        Self {
            model,
            id,
            created,
            request,
            sequence: 0,
            next_output: 0,
            open: None,
            output: Vec::new(),
            usage: None,
        }
    }

    pub(crate) fn event(&mut self, event: &ChatEvent) -> Vec<Frame> {
        let mut frames = Vec::new();
        match event {
            ChatEvent::Role => self.begin(&mut frames),
            ChatEvent::Reasoning(piece) => self.reasoning(piece, &mut frames),
            ChatEvent::Text(piece) => self.text(piece, &mut frames),
            ChatEvent::CallStarted { id, name } => self.call(id, name, &mut frames),
            ChatEvent::CallArguments(piece) => self.arguments(piece, &mut frames),
            ChatEvent::Finished { usage, .. } => {
                self.usage = Some(*usage);
                self.close(&mut frames);
            }
            ChatEvent::Done => self.complete(&mut frames),
        }
        frames
    }

    fn begin(&mut self, frames: &mut Vec<Frame>) {
        let mut response = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": "in_progress",
            "background": false,
            "error": null,
            "output": [],
            "model": self.model,
        });
        self.push("response.created", json!({"response": response}), frames);
        if let Value::Object(fields) = &mut response {
            fields.shift_remove("background");
            fields.shift_remove("error");
        }
        self.push(
            "response.in_progress",
            json!({"response": response}),
            frames,
        );
    }

    fn reasoning(&mut self, piece: &str, frames: &mut Vec<Frame>) {
        if !matches!(self.open, Some(Open::Reasoning { .. })) {
            self.close(frames);
            let at = self.take_output();
            self.open = Some(Open::Reasoning {
                at,
                text: String::new(),
            });
            let id = self.reasoning_id();
            let item =
                json!({"id": id, "type": "reasoning", "status": "in_progress", "summary": []});
            self.push(
                "response.output_item.added",
                json!({"output_index": at, "item": item}),
                frames,
            );
            let part = summary_part("");
            self.push(
                "response.reasoning_summary_part.added",
                json!({"item_id": id, "output_index": at, "summary_index": 0, "part": part}),
                frames,
            );
        }
        let Some(Open::Reasoning { at, text }) = &mut self.open else {
            return;
        };
        text.push_str(piece);
        let at = *at;
        let id = self.reasoning_id();
        self.push(
            "response.reasoning_summary_text.delta",
            json!({"item_id": id, "output_index": at, "summary_index": 0, "delta": piece}),
            frames,
        );
    }

    fn text(&mut self, piece: &str, frames: &mut Vec<Frame>) {
        let id = self.message_id();
        if !matches!(self.open, Some(Open::Message { .. })) {
            self.close(frames);
            let at = self.take_output();
            self.open = Some(Open::Message {
                at,
                text: String::new(),
            });
            let item = message_item(&id, "in_progress", &json!([]));
            self.push(
                "response.output_item.added",
                json!({"output_index": at, "item": item}),
                frames,
            );
            let part = text_part("");
            self.push(
                "response.content_part.added",
                json!({"item_id": id, "output_index": at, "content_index": 0, "part": part}),
                frames,
            );
        }
        let Some(Open::Message { at, text }) = &mut self.open else {
            return;
        };
        text.push_str(piece);
        let at = *at;
        self.push(
            "response.output_text.delta",
            json!({
                "item_id": id,
                "output_index": at,
                "content_index": 0,
                "delta": piece,
                "logprobs": [],
            }),
            frames,
        );
    }

    fn call(&mut self, id: &str, name: &str, frames: &mut Vec<Frame>) {
        self.close(frames);
        let at = self.take_output();
        let item = call_item("in_progress", id, name, "");
        self.push(
            "response.output_item.added",
            json!({"output_index": at, "item": item}),
            frames,
        );
        self.open = Some(Open::Call {
            at,
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: String::new(),
        });
    }

    fn arguments(&mut self, piece: &str, frames: &mut Vec<Frame>) {
        let Some(Open::Call {
            at, id, arguments, ..
        }) = &mut self.open
        else {
            return;
        };
        arguments.push_str(piece);
        let delta = json!({"item_id": format!("fc_{id}"), "output_index": *at, "delta": piece});
        self.push("response.function_call_arguments.delta", delta, frames);
    }

    /// Ends the item that is being made.
    fn close(&mut self, frames: &mut Vec<Frame>) {
        match self.open.take() {
            Some(Open::Reasoning { at, text }) => self.close_reasoning(at, &text, frames),
            Some(Open::Message { at, text }) => self.close_message(at, &text, frames),
            Some(Open::Call {
                at,
                id,
                name,
                arguments,
            }) => self.close_call(at, [&id, &name, &arguments], frames),
            None => {}
        }
    }

    fn close_reasoning(&mut self, at: usize, text: &str, frames: &mut Vec<Frame>) {
        let id = self.reasoning_id();
        self.push(
            "response.reasoning_summary_text.done",
            json!({"item_id": id, "output_index": at, "summary_index": 0, "text": text}),
            frames,
        );
        let part = summary_part(text);
        self.push(
            "response.reasoning_summary_part.done",
            json!({"item_id": id, "output_index": at, "summary_index": 0, "part": part}),
            frames,
        );
        self.sequence += 1;
        // CPA writes the keys of this one event in another order.
        let done = json!({
            "type": "response.output_item.done",
            "item": {
                "id": id,
                "type": "reasoning",
                "encrypted_content": "",
                "summary": [summary_part(text)],
            },
            "output_index": at,
            "sequence_number": self.sequence,
        });
        frames.push(Frame::named("response.output_item.done", go_json(&done)));
        self.output
            .push(json!({"id": id, "type": "reasoning", "summary": [summary_part(text)]}));
    }

    fn close_message(&mut self, at: usize, text: &str, frames: &mut Vec<Frame>) {
        let id = self.message_id();
        self.push(
            "response.output_text.done",
            json!({
                "item_id": id,
                "output_index": at,
                "content_index": 0,
                "text": text,
                "logprobs": [],
            }),
            frames,
        );
        let part = text_part(text);
        self.push(
            "response.content_part.done",
            json!({"item_id": id, "output_index": at, "content_index": 0, "part": part}),
            frames,
        );
        let item = message_item(&id, "completed", &json!([part]));
        self.push(
            "response.output_item.done",
            json!({"output_index": at, "item": item}),
            frames,
        );
        self.output.push(item);
    }

    fn close_call(&mut self, at: usize, [id, name, arguments]: [&str; 3], frames: &mut Vec<Frame>) {
        let arguments = if arguments.is_empty() {
            "{}"
        } else {
            arguments
        };
        let item_id = format!("fc_{id}");
        self.push(
            "response.function_call_arguments.done",
            json!({"item_id": item_id, "output_index": at, "arguments": arguments}),
            frames,
        );
        let item = call_item("completed", id, name, arguments);
        self.push(
            "response.output_item.done",
            json!({"output_index": at, "item": item}),
            frames,
        );
        self.output.push(item);
    }

    fn complete(&mut self, frames: &mut Vec<Frame>) {
        let mut response = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": "completed",
            "background": false,
            "error": null,
        });
        echo(&mut response, self.request);
        if !self.output.is_empty() {
            response["output"] = Value::Array(std::mem::take(&mut self.output));
        }
        if let Some(usage) = self.usage {
            response["usage"] = json!({
                "input_tokens": usage.input,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": usage.output,
                "total_tokens": usage.total(),
                "output_tokens_details": {"reasoning_tokens": 0},
            });
        }
        self.push("response.completed", json!({"response": response}), frames);
    }

    fn push(&mut self, name: &'static str, fields: Value, frames: &mut Vec<Frame>) {
        self.sequence += 1;
        let mut data = Map::new();
        data.insert("type".to_owned(), json!(name));
        data.insert("sequence_number".to_owned(), json!(self.sequence));
        if let Value::Object(fields) = fields {
            data.extend(fields);
        }
        frames.push(Frame::named(name, go_json(&Value::Object(data))));
    }

    const fn take_output(&mut self) -> usize {
        let output = self.next_output;
        self.next_output += 1;
        output
    }

    fn message_id(&self) -> String {
        format!("msg_{}_0", self.id)
    }

    fn reasoning_id(&self) -> String {
        format!("rs_{}_0", self.id)
    }
}
