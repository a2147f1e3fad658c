//! To Gemini's generateContent API.

use serde_json::{Value, json};

use super::frame::Frame;
use crate::upstream::cpa::go_json::go_json;
use crate::upstream::cpa::provider::{ChatEvent, ToolCall, Turn};

/// Makes pieces of Gemini of chat completions.
#[derive(Debug, Default)]
pub(crate) struct GeminiFromChat<'a> {
    pub(crate) model: &'a str,
    call: Option<(String, String)>,
}

impl<'a> GeminiFromChat<'a> {
    pub(crate) const fn new(model: &'a str) -> Self {
        Self { model, call: None }
    }

    /// A chunk that says nothing brings an empty piece that claims to be the last, as CPA does it; a call's pieces
    /// bring nothing until the finish.
    pub(crate) fn event(&mut self, event: &ChatEvent) -> Vec<Frame> {
        match event {
            ChatEvent::Role => vec![self.piece(&json!([]), Some("STOP"))],
            ChatEvent::Reasoning(text) => vec![self.piece(&json!([thought(text)]), None)],
            ChatEvent::Text(text) => vec![self.piece(&json!([{"text": text}]), None)],
            ChatEvent::CallStarted { name, .. } => {
                self.call = Some((name.clone(), String::new()));
                Vec::new()
            }
            ChatEvent::CallArguments(arguments) => {
                if let Some((_, whole)) = &mut self.call {
                    whole.push_str(arguments);
                }
                Vec::new()
            }
            ChatEvent::Finished { .. } => {
                let parts = match self.call.take() {
                    Some((name, arguments)) => json!([function_call(&name, &arguments)]),
                    None => json!([]),
                };
                vec![self.piece(&parts, Some("STOP"))]
            }
            ChatEvent::Done => Vec::new(),
        }
    }

    fn piece(&self, parts: &Value, finish_reason: Option<&str>) -> Frame {
        Frame::data(go_json(&candidates(self.model, parts, finish_reason)))
    }
}

/// The answer made of a whole turn of an OpenAI-style provider.
pub(crate) fn content_from_turn(model: &str, turn: &Turn) -> Value {
    let mut parts = Vec::new();
    if !turn.reasoning.is_empty() {
        parts.push(thought(&turn.whole_reasoning()));
    }
    if !turn.text.is_empty() {
        parts.push(json!({"text": turn.whole_text()}));
    }
    if let Some(ToolCall {
        name, arguments, ..
    }) = &turn.call
    {
        parts.push(function_call(name, arguments));
    }
    let mut answer = candidates(model, &json!(parts), Some("STOP"));
    answer["usageMetadata"] = json!({
        "promptTokenCount": turn.usage.input,
        "candidatesTokenCount": turn.usage.output,
        "totalTokenCount": turn.usage.total(),
    });
    answer
}

fn candidates(model: &str, parts: &Value, finish_reason: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = json!(reason);
    }
    json!({"candidates": [candidate], "model": model})
}

fn thought(text: &str) -> Value {
    json!({"thought": true, "text": text})
}

fn function_call(name: &str, arguments: &str) -> Value {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
    json!({"functionCall": {"name": name, "args": arguments}})
}
