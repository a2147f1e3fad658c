//! One request in hand: its body to read, its answer to write, as with Go's `Request.Body` and `ResponseWriter`.

use std::io;

use bytes::Bytes;

use super::{After, WebSocket};
use crate::wire::http1::Response;

/// Why a request's body cannot be read to its end; displayed in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection ended before the body did.
    #[error("unexpected EOF")]
    UnexpectedEnd,
    /// The chunked coding is broken; `reason` in the words of Go's `net/http/internal`.
    #[error("{reason}")]
    BadChunk {
        /// For example `invalid byte in chunk length`.
        reason: &'static str,
    },
    /// The body is larger than the caller's limit.
    #[error("http: request body too large")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The connection broke.
    #[error("read: connection reset by peer")]
    Reset,
}

/// One request in hand.
///
/// Writing follows Go: [`Self::start`] says status and fields; what is written gathers in a buffer of 2048 bytes; an
/// answer that fits is sent with its Content-Length when the handler returns, a longer or flushed one is chunked.
#[derive(Debug)]
pub struct Exchange;

impl Exchange {
    /// Reads the whole body (what is left of it), of at most `limit` bytes; sends `100 Continue` first if it is awaited.
    ///
    /// # Errors
    /// See [`BodyError`]. The connection is not used again then.
    pub async fn read_body(&mut self, limit: u64) -> Result<Bytes, BodyError> {
        let _ = limit;
        todo!()
    }

    /// Reads the next piece of the body; `None` at its end. Sends `100 Continue` first if it is awaited.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn read_piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        todo!()
    }

    /// Sets status, fields and the first part of the body; nothing is sent yet. `WriteHeader`, then `Write`.
    ///
    /// # Errors
    /// When the buffer overflows and cannot be written to the client.
    pub async fn start(&mut self, response: Response) -> io::Result<()> {
        let _ = response;
        todo!()
    }

    /// Answers with this response as a whole; shorthand for [`Self::start`] and [`After::Answered`].
    pub async fn respond(&mut self, response: Response) -> After {
        let _ = response;
        todo!()
    }

    /// Adds to the body (Go's `Write`): becomes one chunk with what else is in the buffer at the next flush.
    ///
    /// # Errors
    /// When the buffer overflows and cannot be written to the client.
    pub async fn write(&mut self, data: &[u8]) -> io::Result<()> {
        let _ = data;
        todo!()
    }

    /// Sends what is in the buffer as one chunk, the head before it if it was not sent: all in one write (Go's `Flush`).
    ///
    /// # Errors
    /// When it cannot be written to the client.
    pub async fn flush(&mut self) -> io::Result<()> {
        todo!()
    }

    /// Whether status and fields were set: it is too late for another answer then.
    #[must_use]
    pub fn started(&self) -> bool {
        todo!()
    }

    /// Writes these bytes as they are, in one write, behind the back of the answer; the connection is closed at the end.
    ///
    /// # Errors
    /// When they cannot be written to the client.
    pub async fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _ = bytes;
        todo!()
    }

    /// Waits until the client's end is gone (FIN or RST), as Go's `Request.Context().Done()`: noticed only once the
    /// request's body is read whole.
    ///
    /// The future borrows nothing, so that it can be raced with writing.
    pub fn client_gone(&self) -> impl Future<Output = ()> + Send + 'static {
        std::future::pending()
    }

    /// How many bytes the client sent beyond this request's head (and what was read of its body).
    #[must_use]
    pub fn buffered(&self) -> usize {
        todo!()
    }

    /// Takes the connection over as a WebSocket: writes this response's status line and exactly its fields (nothing
    /// added), then reads and writes frames. Check the handshake with [`crate::wire::websocket`] first.
    ///
    /// # Errors
    /// When the head cannot be written to the client.
    pub async fn upgrade(&mut self, response: Response) -> io::Result<WebSocket<'_>> {
        let _ = response;
        todo!()
    }
}
