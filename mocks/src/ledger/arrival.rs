//! What an upstream saw of one request, and did with it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::{AnswerRecord, BodyRecord, RawHead};
use crate::moment::Moment;
use crate::probe_id::ProbeId;

/// Identifies one accepted connection within the process; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// One header or trailer field, bytes as received, the value without the whitespace around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in the case it came in.
    pub name: Bytes,
    /// The value; obsolete folds are kept as received.
    pub value: Bytes,
}

/// How the end of a request's body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Neither Content-Length nor Transfer-Encoding: no body.
    None,
    /// `Content-Length`, in bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// One write of an upstream to the connection, as it was handed to the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRecord {
    /// When the operating system had taken it.
    pub at: Moment,
    /// How many bytes it took.
    pub length: u64,
}

/// How a peer ended its side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// An orderly end of its data (FIN).
    Fin,
    /// A reset (RST), or a write that failed for want of a peer.
    Reset,
}

/// The peer's going away while its request was in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerGone {
    /// When the upstream noticed.
    pub at: Moment,
    /// Whether by FIN or by RST.
    pub how: How,
}

/// What an upstream saw of one request: a snapshot, complete as of when it was asked for.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The upstream's name.
    pub upstream: Arc<str>,
    /// The probe that sent it, if the request carries a well-formed probe id.
    pub probe: Option<ProbeId>,
    /// The connection it came on.
    pub connection: ConnectionId,
    /// Which request on that connection it is, from 1.
    pub request_number: u32,
    /// The address of the peer, usually the candidate's end.
    pub peer: SocketAddr,
    /// When the connection was accepted.
    pub accepted_at: Moment,
    /// When the head was complete.
    pub head_at: Moment,
    /// The request's head as received.
    pub head: RawHead,
    /// How the end of the body is known.
    pub framing: Framing,
    /// What was read of the body so far.
    pub body: BodyRecord,
    /// Trailer fields of a chunked body.
    pub trailers: Vec<Field>,
    /// The writes of the answer, in order; the first [`WRITES_KEPT`].
    pub writes: Vec<WriteRecord>,
    /// How many writes there were in all, also those past [`WRITES_KEPT`].
    pub writes_total: u64,
    /// How many bytes were written in all.
    pub written: u64,
    /// What the answer was, in a ledger that is followed.
    pub answer: AnswerRecord,
    /// WebSocket frames a script read, in order.
    pub frames: Vec<crate::wire::websocket::Frame>,
    /// The peer's going away, if it was noticed before the answer was finished.
    pub peer_gone: Option<PeerGone>,
    /// When the upstream was through with the request.
    pub finished: Option<Moment>,
    /// When a `101` had been written.
    pub upgraded: Option<Moment>,
}

/// One accepted connection, whether or not a request ever came on it.
#[derive(Clone, Debug)]
pub struct ConnectionRecord {
    /// Its identity.
    pub id: ConnectionId,
    /// The peer's address.
    pub peer: SocketAddr,
    /// When it was accepted.
    pub accepted_at: Moment,
    /// How many requests' heads were complete on it.
    pub requests: u32,
    /// When the upstream was through with it.
    pub closed: Option<Moment>,
}

/// The number of single writes an [`Arrival`] remembers: a long stream must not make the ledger grow.
pub const WRITES_KEPT: usize = 4096;
