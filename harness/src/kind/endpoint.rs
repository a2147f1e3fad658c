//! A request that a program serves: [`EndpointRequest`].

use std::fmt;

use serde::Serialize;

/// A method and a path as the program knows it, with the media type of a streamed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointRequest {
    /// The method, as in `POST`.
    pub method: &'static str,
    /// The path, which may have a query.
    pub path: String,
    /// The media type of a streamed answer.
    pub media: String,
}

/// Why a text is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedRequest {
    /// There are not two words.
    #[error("a request is a method and a path")]
    Shape,
    /// The method is none that scenarios send.
    #[error("`{0}` is no method of an endpoint")]
    Method(String),
    /// The path does not begin with a slash.
    #[error("`{0}` does not begin with `/`")]
    Path(String),
}

impl EndpointRequest {
    /// Reads `METHOD /path`.
    ///
    /// # Errors
    /// [`MalformedRequest`].
    pub fn parse(text: &str) -> Result<Self, MalformedRequest> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [method, path] = words[..] else {
            return Err(MalformedRequest::Shape);
        };
        let known = METHODS.into_iter().find(|known| *known == method);
        let method = known.ok_or_else(|| MalformedRequest::Method(method.to_owned()))?;
        if !path.starts_with('/') {
            return Err(MalformedRequest::Path(path.to_owned()));
        }
        Ok(Self {
            method,
            path: path.to_owned(),
            media: EVENTS.to_owned(),
        })
    }

    /// With another media type.
    #[must_use]
    pub fn media(mut self, media: &str) -> Self {
        media.clone_into(&mut self.media);
        self
    }
}

impl fmt::Display for EndpointRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)
    }
}

/// The media type of server-sent events (WHATWG HTML section 9.2).
const EVENTS: &str = "text/event-stream";
/// Methods of endpoints.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_it_was_read() {
        let request = EndpointRequest::parse("POST  /v1/x?y=1").unwrap();
        assert_eq!(request.to_string(), "POST /v1/x?y=1");
        for wrong in ["", "/v1", "post /v1", "GET v1", "GET /a /b"] {
            assert!(EndpointRequest::parse(wrong).is_err(), "{wrong}");
        }
    }
}
