//! What came back: [`Answer`].

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::ledger::{Field, RawHead, digest_of, extend_digest};

/// One answer as the client read it, whole or as far as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head: exact bytes in HTTP/1, written like one (`HTTP/2 200`) in HTTP/2.
    pub head: RawHead,
    /// Heads with a 1xx status that came before.
    pub informational: Vec<Informational>,
    /// How the end of the body is told.
    pub delimited: Delimited,
    /// The body's first [`BODY_KEPT`] bytes, transfer coding removed.
    pub body: Bytes,
    /// The body's whole length in bytes.
    pub length: u64,
    /// The whole body's digest; compare with `proxyproof_mocks::ledger::digest_of`.
    pub digest: u64,
    /// When how many body bytes were read, in order; the first [`PIECES_KEPT`].
    pub pieces: Vec<PieceRecord>,
    /// Trailer fields.
    pub trailers: Vec<Field>,
    /// How it ended.
    pub ended: Ending,
    /// When the first byte of the request was handed to the operating system.
    pub sent_at: Moment,
    /// When the head was complete.
    pub head_at: Moment,
    /// When the end was seen.
    pub end_at: Moment,
}

/// A head with a 1xx status (RFC 9110 section 15.2).
#[derive(Clone, Debug)]
pub struct Informational {
    /// The status code.
    pub status: u16,
    /// The head.
    pub head: RawHead,
    /// When it was complete.
    pub at: Moment,
}

/// The arrival of a part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PieceRecord {
    /// When it was read.
    pub at: Moment,
    /// Its length in bytes, transfer coding removed.
    pub length: u64,
}

/// A part of a body: what one read gave, cut at the bounds of chunks (HTTP/1) or DATA frames (HTTP/2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When it was read.
    pub at: Moment,
    /// The bytes, transfer coding removed.
    pub bytes: Bytes,
    /// Which chunk or DATA frame it belongs to, from 0; always 0 in a body of another framing.
    pub chunk: u64,
}

/// How the end of an answer's body is told (RFC 9112 section 6.3, RFC 9113 section 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimited {
    /// There is no body: a status or a method that has none.
    NoBody,
    /// By `Content-Length`.
    Length(u64),
    /// By the last chunk.
    Chunked,
    /// By the end of the connection.
    Close,
    /// By END_STREAM.
    EndStream,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As its framing says.
    Complete,
    /// By an orderly end of the connection, which is how its framing says it ends.
    Closed,
    /// By an orderly end of the connection before its framing's end.
    Truncated,
    /// By a reset.
    Reset(ResetBy),
    /// By bytes that break its framing.
    Malformed {
        /// What is wrong with them.
        reason: String,
    },
    /// Not at all so far.
    Unfinished,
}

impl Ending {
    /// Whether the body is whole by its own framing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Complete | Self::Closed)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::Closed => f.write_str("complete, ended by the close of the connection"),
            Self::Truncated => f.write_str("truncated: closed before the end of the body"),
            Self::Reset(by) => write!(f, "{by}"),
            Self::Malformed { reason } => write!(f, "malformed: {reason}"),
            Self::Unfinished => f.write_str("unfinished"),
        }
    }
}

/// Who reset what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetBy {
    /// A TCP reset.
    Tcp,
    /// RST_STREAM with this error code (RFC 9113 section 7).
    Stream {
        /// The error code.
        code: u32,
    },
    /// GOAWAY with this error code, or a connection that ended under HTTP/2.
    Connection {
        /// The error code; `None` when the connection ended without GOAWAY, or behind one with NO_ERROR.
        code: Option<u32>,
    },
}

impl fmt::Display for ResetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("reset (RST)"),
            Self::Stream { code } => write!(f, "stream reset with {}", ErrorCode(*code)),
            Self::Connection { code: Some(code) } => {
                write!(f, "connection ended by GOAWAY with {}", ErrorCode(*code))
            }
            Self::Connection { code: None } => f.write_str("connection ended"),
        }
    }
}

/// An HTTP/2 error code with its name (RFC 9113 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u32);

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = usize::try_from(self.0).unwrap_or(usize::MAX);
        match ERROR_CODES.get(index) {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#x}", self.0),
        }
    }
}

impl Answer {
    /// The value of the first field of this name, case not regarded (lossy text).
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.head.first(name)
    }

    /// The values of every field of this name, case not regarded (lossy text).
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.head.all(name)
    }

    /// The kept part of the body as lossy text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `None` where it is none, or longer than what is kept.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the whole body is these bytes and its framing's end was seen.
    #[must_use]
    pub fn is_exactly(&self, body: &[u8]) -> bool {
        self.ended.is_whole() && self.length == body.len() as u64 && self.digest == digest_of(body)
    }

    /// How long after the first byte was sent the head was there.
    #[must_use]
    pub fn head_after(&self) -> Duration {
        self.head_at.since(self.sent_at)
    }
}

/// An answer in the making.
#[derive(Clone, Debug)]
pub(crate) struct Growing {
    answer: Answer,
    kept: BytesMut,
}

impl Growing {
    pub(crate) fn new(head: Head, informational: Vec<Informational>, sent_at: Moment) -> Self {
        Self {
            answer: Answer {
                status: head.status,
                head: head.raw,
                informational,
                delimited: head.delimited,
                body: Bytes::new(),
                length: 0,
                digest: digest_of(b""),
                pieces: Vec::new(),
                trailers: Vec::new(),
                ended: Ending::Unfinished,
                sent_at,
                head_at: head.at,
                end_at: head.at,
            },
            kept: BytesMut::new(),
        }
    }

    pub(crate) fn piece(&mut self, piece: &Piece) {
        let length = piece.bytes.len();
        let room = BODY_KEPT.saturating_sub(self.kept.len());
        self.kept
            .extend_from_slice(&piece.bytes[..length.min(room)]);
        self.answer.length += length as u64;
        self.answer.digest = extend_digest(self.answer.digest, &piece.bytes);
        self.answer.end_at = piece.at;
        if self.answer.pieces.len() < PIECES_KEPT {
            self.answer.pieces.push(PieceRecord {
                at: piece.at,
                length: length as u64,
            });
        }
    }

    pub(crate) fn end(&mut self, end: End) {
        self.answer.ended = end.ended;
        self.answer.trailers = end.trailers;
        self.answer.end_at = end.at;
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.answer.ended != Ending::Unfinished
    }

    pub(crate) fn snapshot(&self) -> Answer {
        Answer {
            body: Bytes::copy_from_slice(&self.kept),
            ..self.answer.clone()
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.answer.status
    }
}

/// An answer's head, as a reader hands it over.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) raw: RawHead,
    pub(crate) delimited: Delimited,
    pub(crate) at: Moment,
}

/// An answer's end, as a reader hands it over.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) ended: Ending,
    pub(crate) trailers: Vec<Field>,
    pub(crate) at: Moment,
}

/// How many bytes of a body an [`Answer`] keeps: more than any body whose text a scenario looks at.
pub const BODY_KEPT: usize = 4 * 1024 * 1024;

/// How many pieces of a body an [`Answer`] remembers.
pub const PIECES_KEPT: usize = 16 * 1024;

/// RFC 9113 section 7, by number.
const ERROR_CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];
