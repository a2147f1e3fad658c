//! What an upstream does to one request, chosen by the scenario and found by probe id.

mod run;

use std::time::Duration;

use bytes::Bytes;

use crate::gate::Gate;
use crate::wire::http1::{chunk, status_text};
use crate::wire::websocket::Frame;

pub(crate) use run::{Ended, run};

/// How the end of a scripted event stream is known to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFraming {
    /// `Transfer-Encoding: chunked`, one chunk an event.
    Chunked,
    /// `Content-Length` of this many bytes.
    Length(u64),
    /// `Connection: close`, and the end of the connection.
    Close,
}

/// Steps an upstream takes on one request, in order; after the last the connection is kept for the next request.
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: Vec<Step>,
    framing: Option<EventFraming>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    ReadBody,
    /// A final head and what follows it in the same write, which is left out for `HEAD`.
    Reply {
        bytes: Bytes,
        head_length: usize,
    },
    ReadBodyBytes(u64),
    Write(Bytes),
    Fill {
        total: u64,
        piece: usize,
    },
    Pause(Duration),
    Gate(Gate),
    UntilPeerGone,
    Fin,
    Reset,
    HalfClose,
    AcceptWebsocket,
    EchoWebsocket,
    ReadFrame,
}

impl Script {
    /// A script without steps: reads nothing, writes nothing, keeps the connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the whole body, or until the peer is gone.
    #[must_use]
    pub fn read_body(self) -> Self {
        self.step(Step::ReadBody)
    }

    /// Reads `n` more bytes of the body (transfer coding removed), or to its end.
    #[must_use]
    pub fn read_body_bytes(self, n: u64) -> Self {
        self.step(Step::ReadBodyBytes(n))
    }

    /// Writes a complete answer with Content-Length, in one write; about the end of the connection see [`Self::head`].
    #[must_use]
    pub fn reply(self, status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let head = head_text(
            status,
            &[
                ("Content-Type", content_type),
                ("Content-Length", &body.len().to_string()),
            ],
        );
        self.step(Step::Reply {
            head_length: head.len(),
            bytes: [head.as_bytes(), &body].concat().into(),
        })
    }

    /// Writes a status line and exactly these fields, in one write.
    ///
    /// Where the request asks for the end of the connection, a final head without `Connection` gets `Connection: close`,
    /// as Go's server adds it: a proxy that is not told may take the connection for one that is kept.
    #[must_use]
    pub fn head(self, status: u16, fields: &[(&str, &str)]) -> Self {
        let head = head_text(status, fields);
        if status < 200 {
            return self.bytes(head);
        }
        self.step(Step::Reply {
            head_length: head.len(),
            bytes: head.into(),
        })
    }

    /// Writes these bytes as they are, in one write.
    #[must_use]
    pub fn bytes(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Write(bytes.into()))
    }

    /// Writes one chunk of the chunked coding (RFC 9112 section 7.1), in one write; empty data makes no chunk.
    #[must_use]
    pub fn chunk(self, data: impl Into<Bytes>) -> Self {
        let data = data.into();
        if data.is_empty() {
            return self;
        }
        self.bytes(chunk(&data))
    }

    /// Writes the last chunk and no trailers.
    #[must_use]
    pub fn last_chunk(self) -> Self {
        self.bytes("0\r\n\r\n")
    }

    /// Writes the last chunk and these trailer fields.
    #[must_use]
    pub fn last_chunk_with_trailers(self, fields: &[(&str, &str)]) -> Self {
        self.bytes(format!("0\r\n{}\r\n", field_lines(fields)))
    }

    /// Writes the head of an event stream (`text/event-stream`); later events are framed as said here.
    #[must_use]
    pub fn sse_head(mut self, framing: EventFraming) -> Self {
        self.framing = Some(framing);
        let length;
        let framing = match framing {
            EventFraming::Chunked => ("Transfer-Encoding", "chunked"),
            EventFraming::Length(bytes) => {
                length = bytes.to_string();
                ("Content-Length", length.as_str())
            }
            EventFraming::Close => ("Connection", "close"),
        };
        let fields = [
            ("Content-Type", "text/event-stream"),
            ("Cache-Control", "no-cache"),
            framing,
        ];
        self.head(200, &fields)
    }

    /// Writes one event, a `data:` line for each line of `data` and an empty line, framed as [`Self::sse_head`] said
    /// (bare without one), in one write.
    #[must_use]
    pub fn event(self, data: &str) -> Self {
        let mut event = String::new();
        for line in data.split('\n') {
            event.push_str("data: ");
            event.push_str(line);
            event.push('\n');
        }
        event.push('\n');
        match self.framing {
            Some(EventFraming::Chunked) => self.chunk(event),
            _ => self.bytes(event),
        }
    }

    /// Writes `total` bytes (all `x`) in pieces of at most `piece` as fast as the peer reads; every write is recorded.
    #[must_use]
    pub fn fill(self, total: u64, piece: usize) -> Self {
        self.step(Step::Fill { total, piece })
    }

    /// Waits this long, or until the peer is gone.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Waits for a permit, or until the peer is gone.
    #[must_use]
    pub fn gate(self, gate: &Gate) -> Self {
        self.step(Step::Gate(gate.clone()))
    }

    /// Waits until the peer is gone.
    #[must_use]
    pub fn until_peer_gone(self) -> Self {
        self.step(Step::UntilPeerGone)
    }

    /// Closes the connection in order (FIN).
    #[must_use]
    pub fn fin(self) -> Self {
        self.step(Step::Fin)
    }

    /// Closes the connection with a reset (RST).
    #[must_use]
    pub fn rst(self) -> Self {
        self.step(Step::Reset)
    }

    /// Ends the sending side (FIN) and goes on.
    #[must_use]
    pub fn half_close(self) -> Self {
        self.step(Step::HalfClose)
    }

    /// Writes `101 Switching Protocols` with the accept value of the request's key (RFC 6455 section 4.2.2).
    #[must_use]
    pub fn accept_websocket(self) -> Self {
        self.step(Step::AcceptWebsocket)
    }

    /// Sends every message back as it came, answers pings, and ends with the closing handshake, code and reason echoed.
    #[must_use]
    pub fn echo_websocket(self) -> Self {
        self.step(Step::EchoWebsocket)
    }

    /// Writes one frame, good or bad, in one write.
    #[must_use]
    pub fn frame(self, frame: &Frame) -> Self {
        self.bytes(frame.to_bytes())
    }

    /// Reads one frame, which the arrival then has among its frames.
    #[must_use]
    pub fn read_frame(self) -> Self {
        self.step(Step::ReadFrame)
    }

    /// Writes a close frame.
    #[must_use]
    pub fn send_close(self, code: u16, reason: &str) -> Self {
        self.frame(&Frame::close(code, reason))
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

fn head_text(status: u16, fields: &[(&str, &str)]) -> String {
    let reason = status_text(status).unwrap_or("Unknown");
    format!("HTTP/1.1 {status} {reason}\r\n{}\r\n", field_lines(fields))
}

fn field_lines(fields: &[(&str, &str)]) -> String {
    fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect()
}
