//! The fields that go with each kind of answer.

use bytes::Bytes;

use super::cors::CORS;
use crate::wire::http1::Response;

/// An answer of the router without body and Content-Type: 404, 204, and what else gin writes bare.
pub(crate) fn empty(status: u16) -> Response {
    Response::new(status).fields(&CORS)
}

/// JSON that gin rendered.
pub(crate) fn gin_json(status: u16, body: impl Into<Bytes>) -> Response {
    empty(status).field("Content-Type", GIN_JSON).body(body)
}

/// JSON that a handler of an AI route wrote itself.
pub(crate) fn raw_json(status: u16, body: String) -> Response {
    empty(status)
        .field("Content-Type", "application/json")
        .body(body)
}

/// A management answer without body and Content-Type.
pub(crate) fn management_empty(status: u16) -> Response {
    empty(status).fields(&VERSION)
}

/// A management answer.
pub(crate) fn json_answer(status: u16, body: String) -> Response {
    management_empty(status)
        .field("Content-Type", GIN_JSON)
        .body(body)
}

/// The head of a stream.
pub(crate) fn event_stream() -> Response {
    empty(200).fields(&[
        ("Cache-Control", "no-cache"),
        ("Connection", "keep-alive"),
        ("Content-Type", "text/event-stream"),
    ])
}

/// The redirect of a trailing slash: before all middleware, so without CORS; a small page goes with GET only.
pub(crate) fn slash_redirect(method: &str, location: &str) -> Response {
    let location = location.to_owned();
    match method {
        "GET" => {
            let page = format!(
                "<a href=\"{}\">Moved Permanently</a>.\n\n",
                escaped(&location)
            );
            Response::new(301)
                .field("Content-Type", "text/html; charset=utf-8")
                .field("Location", location)
                .body(page)
        }
        "HEAD" => Response::new(307)
            .field("Content-Type", "text/html; charset=utf-8")
            .field("Location", location),
        _ => Response::new(307).field("Location", location),
    }
}

/// The answer to a WebSocket handshake that is none, by gorilla/websocket 1.5.3.
pub(crate) fn bad_handshake() -> Response {
    empty(400)
        .field("Content-Type", "text/plain; charset=utf-8")
        .field("Sec-Websocket-Version", "13")
        .field("X-Content-Type-Options", "nosniff")
        .body("Bad Request\n")
}

/// Go's `html.EscapeString` for an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

const GIN_JSON: &str = "application/json; charset=utf-8";

/// What a development build says of itself, on management answers only.
const VERSION: [(&str, &str); 4] = [
    ("X-Cpa-Build-Date", "unknown"),
    ("X-Cpa-Commit", "none"),
    ("X-Cpa-Support-Plugin", "1"),
    ("X-Cpa-Version", "dev"),
];
