//! One request as a handler sees it.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::ledger::{ConnectionId, Framing, LiveConnection, RawHead};
use crate::probe_id::{PROBE_HEADER, ProbeId};
use crate::wire::http1::{RequestHead, Version, lossy, query_values};
use crate::wire::websocket::is_valid_key;

/// The head of a request that Go's server would hand to a handler.
#[derive(Debug)]
pub struct Request {
    pub(crate) head: RequestHead,
    probe: Option<ProbeId>,
    connection: Arc<LiveConnection>,
}

impl Request {
    pub(crate) fn new(head: RequestHead, connection: Arc<LiveConnection>) -> Self {
        Self {
            probe: head.first(PROBE_HEADER).and_then(ProbeId::from_bytes),
            head,
            connection,
        }
    }

    /// The method, any token, in the case it came in.
    #[must_use]
    pub fn method(&self) -> &str {
        // A token is ASCII.
        std::str::from_utf8(self.head.method.of(&self.head.bytes)).unwrap_or_default()
    }

    /// The request target as received.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.head.target.of(&self.head.bytes)
    }

    /// The path percent-decoded (Go's `URL.Path`; lossy text); of an absolute-form target its path; `*` of `*`.
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        lossy(self.path_bytes())
    }

    /// The path percent-decoded.
    #[must_use]
    pub fn path_bytes(&self) -> &[u8] {
        let parts = &self.head.parts;
        match &parts.decoded_path {
            Some(decoded) => decoded,
            None => &self.target()[parts.path.clone()],
        }
    }

    /// The path as received, percent-encoded (Go's `URL.EscapedPath` for what came over the wire; lossy text).
    #[must_use]
    pub fn raw_path(&self) -> Cow<'_, str> {
        lossy(&self.target()[self.head.parts.path.clone()])
    }

    /// The query as received, without `?` (Go's `URL.RawQuery`; lossy text); empty without one.
    #[must_use]
    pub fn query(&self) -> Cow<'_, str> {
        lossy(self.query_bytes())
    }

    /// The first value of this query parameter, decoded (Go's `URL.Query().Get`, but `None` when absent).
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        let value = query_values(self.query_bytes(), name.as_bytes()).next()?;
        Some(lossy(&value).into_owned())
    }

    /// The host Go calls the request's: of an absolute-form target its authority, else the Host field; empty without.
    #[must_use]
    pub fn host(&self) -> Cow<'_, str> {
        match &self.head.parts.authority {
            Some(authority) if !authority.is_empty() => lossy(&self.target()[authority.clone()]),
            _ => self.first("host").unwrap_or_default(),
        }
    }

    /// The first value of this field, case not regarded, folds joined (lossy text).
    #[must_use]
    pub fn first(&self, name: &str) -> Option<Cow<'_, str>> {
        self.head.first(name).map(lossy)
    }

    /// The values of every field of this name, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<Cow<'_, str>> {
        self.head.all(name).map(lossy).collect()
    }

    /// The key of a WebSocket handshake that servers accept (RFC 6455 section 4.2.1); `None` where a field of it is
    /// missing or wrong. The version of HTTP is not looked at: most servers accept HTTP/1.0.
    pub(crate) fn websocket_key(&self) -> Option<Cow<'_, str>> {
        let key = self.first("Sec-WebSocket-Key")?;
        let right = self.method() == "GET"
            && self.has_token("Connection", "upgrade")
            && self.has_token("Upgrade", "websocket")
            && self.has_token("Sec-WebSocket-Version", "13")
            && is_valid_key(&key);
        right.then_some(key)
    }

    /// Whether one of the comma-separated values of this field is this token, case not regarded.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.head.has_token(name, token)
    }

    /// Every field in order, name as received and value without whitespace around it, folds joined.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let bytes = &self.head.bytes;
        let fields = self.head.fields.iter();
        fields.map(move |field| (field.name(bytes), field.value(bytes)))
    }

    /// The minor version of HTTP/1.x; `PRI * HTTP/2.0` counts as 1.1.
    #[must_use]
    pub fn minor_version(&self) -> u8 {
        match self.head.version {
            Version::One(minor) => minor,
            Version::Preface => 1,
        }
    }

    /// How the end of the body is known.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.head.framing
    }

    /// The head as received.
    #[must_use]
    pub fn head(&self) -> RawHead {
        RawHead::new(self.head.bytes.clone())
    }

    /// The address of the peer, usually the candidate's end.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.connection.peer
    }

    /// The connection it came on.
    #[must_use]
    pub fn connection(&self) -> ConnectionId {
        self.connection.id
    }

    /// The probe that sent it.
    #[must_use]
    pub fn probe(&self) -> Option<ProbeId> {
        self.probe
    }

    fn query_bytes(&self) -> &[u8] {
        &self.target()[self.head.parts.query.clone()]
    }
}
