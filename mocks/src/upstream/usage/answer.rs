//! The answers of the service itself.

use serde::Serialize;
use serde_json::json;

use crate::upstream::go_json::go_json;
use crate::wire::http1::Response;

/// A JSON answer; Go's encoder ends it with a line feed.
pub(super) fn json_answer(status: u16, value: &impl Serialize) -> Response {
    let body = go_json(value) + "\n";
    Response::new(status)
        .field("Content-Type", "application/json")
        .body(body)
}

/// A refusal.
pub(super) fn error(status: u16, reason: &str) -> Response {
    json_answer(status, &json!({ "error": reason }))
}

/// A method the path does not know; without `Allow`.
pub(super) fn method_not_allowed() -> Response {
    error(405, "method not allowed")
}

/// A wrong or missing key.
pub(super) fn unauthorized() -> Response {
    error(401, "invalid management key")
}

/// A call that needs a set-up.
pub(super) fn not_configured() -> Response {
    error(428, "usage service is not configured")
}

/// Go's `http.NotFound`.
pub(super) fn not_found() -> Response {
    Response::new(404)
        .field("Content-Type", "text/plain; charset=utf-8")
        .field("X-Content-Type-Options", "nosniff")
        .body("404 page not found\n")
}

/// Go's `http.Redirect` with 307: type to GET and HEAD, a small page to GET.
pub(super) fn temporary_redirect(method: &str, location: &str) -> Response {
    let response = Response::new(307).field("Location", location.to_owned());
    let page = format!(
        "<a href=\"{}\">Temporary Redirect</a>.\n\n",
        html_escaped(location)
    );
    match method {
        "GET" => response.field("Content-Type", HTML).body(page),
        "HEAD" => response.field("Content-Type", HTML),
        _ => response,
    }
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

pub(super) const HTML: &str = "text/html; charset=utf-8";
