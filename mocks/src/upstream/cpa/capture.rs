//! The log middleware's reading of bodies, before anyone is authenticated.

use bytes::Bytes;

use crate::ledger::Framing;
use crate::upstream::{Exchange, Request};

/// The body that the log middleware read, if it did.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) body: Option<Bytes>,
}

/// The log middleware reads small bodies of known length before anyone is authenticated: a client that waits for
/// `100 Continue` gets it even before a 401.
pub(crate) async fn capture(request: &Request, path: &str, exchange: &mut Exchange) -> Captured {
    let nothing = Captured { body: None };
    let length = match request.framing() {
        Framing::Length(length) => length,
        Framing::None | Framing::Chunked => 0,
    };
    let logged = request.method() != "GET"
        && !path.starts_with("/v0/management")
        && !path.starts_with("/management")
        && (!path.starts_with("/api") || path.starts_with("/api/provider"));
    if !logged || !(1..=CAPTURED).contains(&length) {
        return nothing;
    }
    let content_type = request.first("Content-Type").unwrap_or_default();
    let multipart = content_type
        .trim()
        .to_ascii_lowercase()
        .starts_with("multipart/form-data");
    if multipart {
        return nothing;
    }
    match exchange.read_body(CAPTURED).await {
        Ok(body) => Captured { body: Some(body) },
        Err(_) => nothing,
    }
}

/// The largest body that the log middleware captures, in bytes.
const CAPTURED: u64 = 1 << 20;
