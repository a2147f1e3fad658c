//! The realtime and live routes, for which no credential is configured: what CPA answers without one.

use serde_json::json;

use super::answer::{empty, gin_json};
use super::go_json::go_json;
use crate::upstream::Request;
use crate::wire::http1::Response;

/// Answers a request to a route under `/v1/realtime` or `/v1/live`, or for a search.
pub(crate) fn answer(request: &Request, pattern: &str, parameter: &str) -> Response {
    if let Some(capability) = missing_capability(pattern) {
        let message = format!("{capability} are not supported by the ChatGPT/Codex OAuth upstream");
        return nested(
            501,
            "realtime_capability_not_supported",
            "not_supported_error",
            &message,
        );
    }
    match (request.method(), pattern) {
        ("GET", "/v1/realtime") => upgrade_required(request),
        ("GET", _) => sideband(request, pattern, parameter),
        (_, "/v1/realtime/calls/:id/hangup") if !is_call_id(parameter) => nested(
            400,
            "invalid_call_id",
            "invalid_request_error",
            INVALID_CALL,
        ),
        (_, "/v1/realtime/calls/:id/hangup") => nested(
            404,
            "realtime_call_not_found",
            "invalid_request_error",
            NO_SESSION,
        ),
        (_, pattern) => failed(pattern, 503, "auth_not_found: no auth available"),
    }
}

fn missing_capability(pattern: &str) -> Option<&'static str> {
    match pattern {
        "/v1/realtime/translations" | "/v1/realtime/translations/client_secrets" => {
            Some("Realtime translation sessions")
        }
        "/v1/realtime/transcription_sessions" => Some("Realtime transcription-only sessions"),
        "/v1/realtime/calls/:id/accept" => Some("Realtime SIP accept"),
        "/v1/realtime/calls/:id/reject" => Some("Realtime SIP reject"),
        "/v1/realtime/calls/:id/refer" => Some("Realtime SIP refer"),
        _ => None,
    }
}

fn upgrade_required(request: &Request) -> Response {
    let code = match request.query_value("call_id") {
        Some(_) => "realtime_request_failed",
        None => "websocket_upgrade_required",
    };
    nested(426, code, "invalid_request_error", UPGRADE).field("Upgrade", "websocket")
}

/// The side channel of a call that nobody began.
fn sideband(request: &Request, pattern: &str, call: &str) -> Response {
    if !request.has_token("Upgrade", "websocket") {
        return failed(pattern, 426, UPGRADE).field("Upgrade", "websocket");
    }
    match is_call_id(call) {
        true => failed(pattern, 404, NO_SESSION),
        false => failed(pattern, 400, INVALID_CALL),
    }
}

/// An error of the live client, in the shape that goes with the path.
fn failed(pattern: &str, status: u16, message: &str) -> Response {
    if !pattern.starts_with("/v1/realtime") {
        return gin_json(status, go_json(&json!({"error": message})));
    }
    let kind = match status {
        500.. => "api_error",
        401 => "authentication_error",
        _ => "invalid_request_error",
    };
    nested(status, "realtime_request_failed", kind, message)
}

fn nested(status: u16, code: &str, kind: &str, message: &str) -> Response {
    let error = json!({"code": code, "message": message, "param": null, "type": kind});
    gin_json(status, go_json(&json!({"error": error})))
}

fn is_call_id(call: &str) -> bool {
    (1..=128).contains(&call.len())
        && call
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A request to a provider for which there is no credential.
pub(crate) fn unprovided() -> Response {
    empty(503)
        .field("Content-Type", "application/json; charset=utf-8")
        .body(r#"{"error":"auth_not_found: no auth available"}"#)
}

const UPGRADE: &str = "WebSocket upgrade required";
const INVALID_CALL: &str = "Invalid Codex live call ID";
const NO_SESSION: &str = "Codex live session not found";
