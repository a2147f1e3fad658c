//! To the legacy completions API: CPA makes it from chat completions, whatever the provider.

use serde_json::{Map, Value, json};

use super::frame::{Beat, Frame, Score};

/// The completion made of a chat completion.
pub(crate) fn completion(chat: &Value) -> Value {
    let mut answer = base(chat);
    answer["choices"] = choices(chat, |choice| {
        choice["message"]["content"].as_str().map(str::to_owned)
    });
    if let Some(usage) = chat.get("usage") {
        answer["usage"] = usage.clone();
    }
    answer
}

/// The chunks made of those of a chat completion; one without text, finish and usage is dropped.
pub(crate) fn completion_score(score: Score) -> Score {
    let beats = score
        .beats
        .into_iter()
        .map(|beat| Beat {
            after: beat.after,
            frames: beat.frames.iter().filter_map(chunk).collect(),
        })
        .collect();
    Score { beats, ..score }
}

fn chunk(frame: &Frame) -> Option<Frame> {
    let chat: Value = serde_json::from_str(&frame.data).ok()?;
    if !has_content(&chat) && chat.get("usage").is_none() {
        return None;
    }
    let mut answer = base(&chat);
    answer["choices"] = choices(&chat, |choice| {
        let text = choice["delta"]["content"].as_str();
        Some(text.unwrap_or_default().to_owned())
    });
    if let Some(usage) = chat.get("usage") {
        answer["usage"] = usage.clone();
    }
    Some(Frame::data(answer.to_string()))
}

fn has_content(chat: &Value) -> bool {
    let said = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    chat["choices"].as_array().is_some_and(|choices| {
        choices
            .iter()
            .any(|choice| said(&choice["delta"]["content"]) || said(&choice["finish_reason"]))
    })
}

fn base(chat: &Value) -> Value {
    json!({
        "id": chat["id"],
        "object": "text_completion",
        "created": chat["created"],
        "model": chat["model"],
        "choices": [],
    })
}

/// The choices, with their keys in the alphabetical order of a Go map.
fn choices(chat: &Value, text: impl Fn(&Value) -> Option<String>) -> Value {
    let choices = chat["choices"].as_array().map(Vec::as_slice);
    let made = choices.unwrap_or_default().iter().map(|choice| {
        let mut made = Map::new();
        if let Some(reason) = choice.get("finish_reason") {
            made.insert(
                "finish_reason".to_owned(),
                json!(reason.as_str().unwrap_or_default()),
            );
        }
        made.insert("index".to_owned(), choice["index"].clone());
        if choice["message"].is_object() || choice["delta"].is_object() {
            made.extend(text(choice).map(|text| ("text".to_owned(), json!(text))));
        }
        Value::Object(made)
    });
    Value::Array(made.collect())
}
