//! What the proxy answers by itself.

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use super::Body;

/// An answer of the proxy's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request has no one meaning.
    BadRequest(&'static str),
    /// The tunnel named no client, or a local one.
    NoClientAddress,
    /// No location matches.
    NoLocation,
    /// CONNECT and TRACE.
    Method,
    /// The client stopped sending its body.
    BodyTimeout,
    /// The body is beyond the limit.
    ContentTooLarge,
    /// The target is beyond the limit.
    TargetTooLong,
    /// An expectation other than 100-continue.
    Expectation,
    /// The host is not served here.
    UnknownHost,
    /// The head is beyond the limit.
    HeadTooLarge,
    /// An extended CONNECT to something other than `websocket` (RFC 8441 section 4).
    UnknownProtocol,
    /// A transfer coding other than chunked (RFC 9112 section 6.1).
    UnknownCoding,
    /// The upstream cannot be reached, hung up or made no sense.
    BadGateway(&'static str),
    /// The upstream did not answer in time.
    GatewayTimeout,
}

impl Refusal {
    /// The answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        let (status, code, message) = self.parts();
        let body = format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"{message}\"}}}}");
        let mut response = Response::new(Body::full(Bytes::from(body)));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self == Self::Method {
            // RFC 9110 section 15.5.6 requires the field; it lists what upstreams get.
            response.headers_mut().insert(
                ALLOW,
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            );
        }
        response
    }

    /// The same for a client that is still sending: the connection ends with it.
    pub(crate) fn into_last_response(self) -> Response<Body> {
        let mut response = self.into_response();
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "bad_request", message),
            Self::NoClientAddress => (
                StatusCode::FORBIDDEN,
                "no_client_address",
                "the tunnel named no client",
            ),
            Self::NoLocation => (
                StatusCode::NOT_FOUND,
                "no_location",
                "no location matches this path",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this method is not forwarded",
            ),
            Self::BodyTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "body_timeout",
                "the request body did not arrive in time",
            ),
            Self::ContentTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "content_too_large",
                "the request body is too large",
            ),
            Self::TargetTooLong => (
                StatusCode::URI_TOO_LONG,
                "target_too_long",
                "the request target is too long",
            ),
            Self::Expectation => (
                StatusCode::EXPECTATION_FAILED,
                "expectation_failed",
                "only 100-continue can be expected",
            ),
            Self::UnknownHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "unknown_host",
                "this host is not served here",
            ),
            Self::HeadTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "head_too_large",
                "the request head is too large",
            ),
            Self::UnknownProtocol => (
                StatusCode::NOT_IMPLEMENTED,
                "unknown_protocol",
                "only websocket can be connected to",
            ),
            Self::UnknownCoding => (
                StatusCode::NOT_IMPLEMENTED,
                "unknown_coding",
                "only the chunked transfer coding is known",
            ),
            Self::BadGateway(message) => (StatusCode::BAD_GATEWAY, "bad_gateway", message),
            Self::GatewayTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "gateway_timeout",
                "the upstream did not answer in time",
            ),
        }
    }
}
