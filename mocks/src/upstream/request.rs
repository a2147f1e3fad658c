//! One request as a handler sees it.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::ledger::{ConnectionId, Framing, RawHead};
use crate::probe_id::ProbeId;

/// The head of a request that Go's server would hand to a handler.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) head: RawHead,
}

impl Request {
    /// The method, any token, in the case it came in.
    #[must_use]
    pub fn method(&self) -> &str {
        todo!()
    }

    /// The request target as received.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        todo!()
    }

    /// The path percent-decoded (Go's `URL.Path`; lossy text); of an absolute-form target its path; `*` of `*`.
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        todo!()
    }

    /// The path percent-decoded.
    #[must_use]
    pub fn path_bytes(&self) -> &[u8] {
        todo!()
    }

    /// The path as received, percent-encoded (Go's `URL.EscapedPath` for what came over the wire; lossy text).
    #[must_use]
    pub fn raw_path(&self) -> Cow<'_, str> {
        todo!()
    }

    /// The query as received, without `?` (Go's `URL.RawQuery`; lossy text); empty without one.
    #[must_use]
    pub fn query(&self) -> Cow<'_, str> {
        todo!()
    }

    /// The first value of this query parameter, decoded (Go's `URL.Query().Get`, but `None` when absent).
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<String> {
        let _ = name;
        todo!()
    }

    /// The host Go calls the request's: of an absolute-form target its authority, else the Host field; empty without.
    #[must_use]
    pub fn host(&self) -> Cow<'_, str> {
        todo!()
    }

    /// The first value of this field, case not regarded, folds joined (lossy text).
    #[must_use]
    pub fn first(&self, name: &str) -> Option<Cow<'_, str>> {
        let _ = name;
        todo!()
    }

    /// The values of every field of this name, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<Cow<'_, str>> {
        let _ = name;
        todo!()
    }

    /// Whether one of the comma-separated values of this field is this token, case not regarded.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        let _ = (name, token);
        todo!()
    }

    /// Every field in order, name as received and value without whitespace around it, folds joined.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        std::iter::empty()
    }

    /// The minor version of HTTP/1.x; `PRI * HTTP/2.0` counts as 1.1.
    #[must_use]
    pub fn minor_version(&self) -> u8 {
        todo!()
    }

    /// How the end of the body is known.
    #[must_use]
    pub fn framing(&self) -> Framing {
        todo!()
    }

    /// The head as received.
    #[must_use]
    pub fn head(&self) -> &RawHead {
        &self.head
    }

    /// The address of the peer, usually the candidate's end.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        todo!()
    }

    /// The connection it came on.
    #[must_use]
    pub fn connection(&self) -> ConnectionId {
        todo!()
    }

    /// The probe that sent it.
    #[must_use]
    pub fn probe(&self) -> Option<ProbeId> {
        todo!()
    }
}

#[expect(dead_code, reason = "skeleton")]
type Skeleton = Bytes;
