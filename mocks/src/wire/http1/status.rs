//! Reason phrases.

/// Go's `http.StatusText`; `None` for a code it does not know.
#[must_use]
pub fn status_text(status: u16) -> Option<&'static str> {
    // Where Go and the `http` crate differ.
    match status {
        203 => Some("Non-Authoritative Information"),
        413 => Some("Request Entity Too Large"),
        414 => Some("Request URI Too Long"),
        416 => Some("Requested Range Not Satisfiable"),
        418 => Some("I'm a teapot"),
        422 => Some("Unprocessable Entity"),
        _ => http::StatusCode::from_u16(status).ok()?.canonical_reason(),
    }
}
