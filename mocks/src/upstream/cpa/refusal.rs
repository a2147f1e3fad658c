//! The error bodies of the AI routes.

use serde_json::{Value, json};

use super::go_json::go_json;

/// The API in whose shape a client is told of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"error":{message,type,code,…}}`.
    OpenAi,
    /// `{"type":"error","error":{type,message}}`.
    Claude,
}

/// The body of a 400 for a model that nobody provides (an unreadable body asks for the model "").
pub(crate) fn unknown_model(shape: Shape, model: &str) -> String {
    let message = format!("unknown provider for model {model}");
    match shape {
        Shape::OpenAi => go_json(&json!({"error": {
            "message": message,
            "type": "invalid_request_error",
            "code": "model_not_found",
            "param": "model",
        }})),
        Shape::Claude => claude_error("invalid_request_error", &message),
    }
}

/// A body whose `error` has only a message and a type, as CPA's own checks of a request write it.
pub(crate) fn invalid_request(message: &str) -> String {
    go_json(&json!({"error": {"message": message, "type": "invalid_request_error"}}))
}

/// The body that CPA makes of a plain sentence.
pub(crate) fn from_sentence(shape: Shape, status: u16, message: &str) -> String {
    match shape {
        Shape::OpenAi => {
            let (kind, code) = openai_words(status);
            let mut error = json!({"message": message, "type": kind});
            if let Some(code) = code {
                error["code"] = json!(code);
            }
            go_json(&json!({"error": error}))
        }
        Shape::Claude => claude_error(claude_type(status), message),
    }
}

/// Anthropic's shape.
pub(crate) fn claude_error(kind: &str, message: &str) -> String {
    go_json(&json!({"type": "error", "error": {"type": kind, "message": message}}))
}

/// The body that CPA makes of a provider's JSON `body` for a client of Anthropic's API: the provider's type is kept,
/// its code dropped.
pub(crate) fn claude_from_provider(status: u16, body: &Value) -> String {
    let error = &body["error"];
    let kind = error["type"]
        .as_str()
        .unwrap_or_else(|| claude_type(status));
    claude_error(kind, error["message"].as_str().unwrap_or_default())
}

/// OpenAI's type and code for a status.
pub(crate) const fn openai_words(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("authentication_error", Some("invalid_api_key")),
        403 => ("permission_error", Some("insufficient_quota")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("rate_limit_error", Some("rate_limit_exceeded")),
        500.. => ("server_error", Some("internal_server_error")),
        _ => ("invalid_request_error", None),
    }
}

/// Anthropic's type for a status.
pub(crate) const fn claude_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}
