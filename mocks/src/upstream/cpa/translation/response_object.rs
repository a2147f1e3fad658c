//! The objects of the Responses API, as CPA makes them of chat completions.

use serde_json::{Value, json};

use crate::upstream::cpa::provider::{ToolCall, Turn};

/// The response made of a whole turn of an OpenAI-style provider.
pub(crate) fn response_from_turn(id: &str, created: u64, request: &Value, turn: &Turn) -> Value {
    let mut response = json!({
        "id": id,
        "object": "response",
        "created_at": created,
        "status": "completed",
        "background": false,
        "error": null,
        "incomplete_details": null,
    });
    echo(&mut response, request);
    let output = output_of(id, request, turn);
    if !output.is_empty() {
        response["output"] = Value::Array(output);
    }
    response["usage"] = json!({
        "input_tokens": turn.usage.input,
        "output_tokens": turn.usage.output,
        "total_tokens": turn.usage.total(),
        "output_tokens_details": {"reasoning_tokens": 0},
        "input_tokens_details": {"cached_tokens": 0},
    });
    response
}

fn output_of(id: &str, request: &Value, turn: &Turn) -> Vec<Value> {
    let mut output = Vec::new();
    if !turn.reasoning.is_empty() || request.get("reasoning").is_some() {
        let bare = id.strip_prefix("resp_").unwrap_or(id);
        let summary = match turn.reasoning.is_empty() {
            true => json!([]),
            false => json!([summary_part(&turn.whole_reasoning())]),
        };
        output.push(json!({
            "id": format!("rs_{bare}"),
            "type": "reasoning",
            "encrypted_content": "",
            "summary": summary,
        }));
    }
    if !turn.text.is_empty() {
        let content = json!([text_part(&turn.whole_text())]);
        output.push(message_item(&format!("msg_{id}_0"), "completed", &content));
    }
    if let Some(ToolCall {
        id,
        name,
        arguments,
    }) = &turn.call
    {
        output.push(call_item("completed", id, name, arguments));
    }
    output
}

/// Copies the fields that CPA repeats from the request; objects come out with their keys sorted, as Go maps do.
pub(crate) fn echo(response: &mut Value, request: &Value) {
    for name in ECHOED {
        if let Some(value) = request.get(name) {
            let mut value = value.clone();
            value.sort_all_objects();
            response[name] = value;
        }
    }
}

/// A message among the output.
pub(crate) fn message_item(id: &str, status: &str, content: &Value) -> Value {
    json!({"id": id, "type": "message", "status": status, "content": content, "role": "assistant"})
}

/// A function call among the output.
pub(crate) fn call_item(status: &str, id: &str, name: &str, arguments: &str) -> Value {
    json!({
        "id": format!("fc_{id}"),
        "type": "function_call",
        "status": status,
        "arguments": arguments,
        "call_id": id,
        "name": name,
    })
}

/// A piece of a message.
pub(crate) fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

/// A piece of reasoning.
pub(crate) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

/// The fields of a request that come back in the response, in CPA's order.
const ECHOED: [&str; 20] = [
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "metadata",
];
