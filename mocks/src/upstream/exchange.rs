//! One request in hand: its body to read, its answer to write, as with Go's `Request.Body` and `ResponseWriter`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::memory_budget::MemoryBudget;
use super::request_body::{BodyError, RequestBody};
use super::socket::{Socket, Watch};
use super::{After, Request, WebSocket};
use crate::ledger::LiveArrival;
use crate::wire::http1::{
    Expectation, Persistence, Response, ResponseWriter, push_field, push_status_line,
};

/// One request in hand.
///
/// Writing follows Go: [`Self::start`] says status and fields; what is written gathers in a buffer of 2048 bytes; an
/// answer that fits is sent with its Content-Length when the handler returns, a longer or flushed one is chunked.
#[derive(Debug)]
pub struct Exchange {
    pub(crate) socket: Arc<Socket>,
    pub(crate) arrival: Arc<LiveArrival>,
    /// In a box, for it is handed on from answer to answer.
    writer: Box<ResponseWriter>,
    body: RequestBody,
    bodies: MemoryBudget,
    put_back: Option<Bytes>,
    interim: Interim,
    raw: Raw,
    persistence: Persistence,
}

/// Whether `100 Continue` is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interim {
    NotAsked,
    Awaited,
    Sent,
}

/// Whether somebody wrote behind the back of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Raw {
    No,
    Written,
}

/// What becomes of the connection, everything considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    /// FIN, and close.
    Close,
    /// FIN, and close when the client has read the answer in spite of what it still sends.
    Linger(Duration),
    Reset,
}

impl Exchange {
    pub(crate) fn new(
        socket: Arc<Socket>,
        arrival: Arc<LiveArrival>,
        mut writer: Box<ResponseWriter>,
        request: &Request,
        bodies: MemoryBudget,
    ) -> Self {
        writer.begin(&request.head);
        let body = RequestBody::new(request.framing());
        let watch = if body.is_complete() {
            Watch::On
        } else {
            Watch::Off
        };
        socket.attribute(Some(Arc::clone(&arrival)), watch);
        let interim = match request.head.expectation {
            Expectation::Continue => Interim::Awaited,
            Expectation::None | Expectation::Unknown => Interim::NotAsked,
        };
        Self {
            socket,
            arrival,
            writer,
            body,
            bodies,
            put_back: None,
            interim,
            raw: Raw::No,
            persistence: request.head.persistence,
        }
    }

    /// Reads the whole body (what is left of it), of at most `limit` bytes; sends `100 Continue` first if it is awaited.
    ///
    /// # Errors
    /// See [`BodyError`]. The connection is not used again then.
    pub async fn read_body(&mut self, limit: u64) -> Result<Bytes, BodyError> {
        let Some(first) = self.read_piece().await? else {
            return Ok(Bytes::new());
        };
        if first.len() as u64 > limit {
            return Err(BodyError::TooLarge { limit });
        }
        // Most bodies come in one piece, which needs no copy.
        let Some(second) = self.read_piece().await? else {
            return Ok(first);
        };
        let mut share = self.bodies.share();
        let mut whole = BytesMut::from(&first[..]);
        let mut next = Some(second);
        while let Some(piece) = next {
            if (whole.len() + piece.len()) as u64 > limit {
                return Err(BodyError::TooLarge { limit });
            }
            if !share.covers(whole.len() + piece.len()) {
                return Err(BodyError::Crowded);
            }
            whole.extend_from_slice(&piece);
            next = self.read_piece().await?;
        }
        Ok(whole.freeze())
    }

    /// Reads the next piece of the body; `None` at its end. Sends `100 Continue` first if it is awaited.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn read_piece(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.read_piece_of(usize::MAX).await
    }

    pub(crate) async fn read_piece_of(&mut self, most: usize) -> Result<Option<Bytes>, BodyError> {
        if let Some(body) = self.put_back.take() {
            return Ok(Some(body));
        }
        if self.interim == Interim::Awaited && !self.writer.header_written() {
            self.interim = Interim::Sent;
            // A failure shows when the body is read.
            let _ = self
                .socket
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await;
        }
        self.body.piece(&self.socket, &self.arrival, most).await
    }

    /// Makes what was read be read again, as one piece.
    pub(crate) fn put_back(&mut self, body: Bytes) {
        self.put_back = (!body.is_empty()).then_some(body);
    }

    /// Sets status, fields and the first part of the body; nothing is sent yet. `WriteHeader`, then `Write`.
    ///
    /// # Errors
    /// When the buffer overflows and cannot be written to the client.
    pub async fn start(&mut self, mut response: Response) -> io::Result<()> {
        let body = std::mem::take(&mut response.body);
        self.writer.start(response);
        if body.is_empty() {
            Ok(())
        } else {
            self.write(&body).await
        }
    }

    /// Answers with this response as a whole; shorthand for [`Self::start`] and [`After::Answered`].
    pub async fn respond(&mut self, response: Response) -> After {
        match self.start(response).await {
            Ok(()) => After::Answered,
            Err(_) => After::Close,
        }
    }

    /// Adds to the body (Go's `Write`): becomes one chunk with what else is in the buffer at the next flush.
    ///
    /// # Errors
    /// When the buffer overflows and cannot be written to the client.
    pub async fn write(&mut self, data: &[u8]) -> io::Result<()> {
        if self.writer.would_write_header(data.len()) {
            self.settle_body().await;
        }
        self.writer.write(data);
        if self.writer.out.len() >= SEND_AT {
            self.send().await
        } else {
            Ok(())
        }
    }

    /// Sends what is in the buffer as one chunk, the head before it if it was not sent: all in one write (Go's `Flush`).
    ///
    /// # Errors
    /// When it cannot be written to the client.
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.writer.header_written() {
            self.settle_body().await;
        }
        self.writer.flush();
        self.send().await
    }

    /// Whether status and fields were set: it is too late for another answer then.
    #[must_use]
    pub fn started(&self) -> bool {
        self.writer.started()
    }

    /// Writes these bytes as they are, in one write, behind the back of the answer; the connection is closed at the end.
    ///
    /// # Errors
    /// When they cannot be written to the client.
    pub async fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.raw = Raw::Written;
        self.socket.write_all(bytes).await
    }

    /// Waits until the client's end is gone (FIN or RST), as Go's `Request.Context().Done()`: noticed only once the
    /// request's body is read whole.
    ///
    /// The future borrows nothing, so that it can be raced with writing.
    pub fn client_gone(&self) -> impl Future<Output = ()> + Send + 'static {
        let socket = Arc::clone(&self.socket);
        async move { socket.until_gone().await }
    }

    /// How many bytes the client sent beyond this request's head (and what was read of its body).
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.socket.with_buffer(|buffer| buffer.len())
    }

    /// Takes the connection over as a WebSocket: writes this response's status line and exactly its fields (nothing
    /// added), then reads and writes frames. Check the handshake with [`crate::wire::websocket`] first.
    ///
    /// # Errors
    /// When the head cannot be written to the client.
    pub async fn upgrade(&mut self, response: Response) -> io::Result<WebSocket<'_>> {
        let mut head = Vec::new();
        push_status_line(&mut head, 1, response.status);
        for (name, value) in &response.fields {
            push_field(&mut head, name.as_bytes(), value.as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        self.write_raw(&head).await?;
        self.arrival.upgraded();
        Ok(WebSocket::new(self))
    }

    /// Finishes the answer as far as the handler left that to the server, and gives the writer back for the next one.
    pub(crate) async fn finish(mut self, after: After) -> (Verdict, Box<ResponseWriter>) {
        let verdict = match after {
            After::Reset => Verdict::Reset,
            After::Close => Verdict::Close,
            After::Answered if self.raw == Raw::Written => Verdict::Close,
            After::Answered => self.finish_answer().await,
        };
        self.arrival.finish();
        (verdict, self.writer)
    }

    /// Whether the request asks for the end of the connection after its answer.
    pub(crate) fn is_last(&self) -> bool {
        self.persistence != Persistence::Keep
    }

    /// After a script: everything was written behind the back of the answer, but the connection can be kept.
    pub(crate) async fn finish_script(mut self) -> (Verdict, Box<ResponseWriter>) {
        self.arrival.finish();
        if self.is_last() || self.socket.peer_gone().is_some() {
            return (Verdict::Close, self.writer);
        }
        let verdict = match self.discard_body().await {
            Discarded::All => Verdict::Keep,
            Discarded::NotAll => Verdict::Linger(RST_AVOIDANCE),
        };
        (verdict, self.writer)
    }

    /// After a script that says itself how the connection ends.
    pub(crate) fn finish_with(self, verdict: Verdict) -> (Verdict, Box<ResponseWriter>) {
        self.arrival.finish();
        (verdict, self.writer)
    }

    async fn finish_answer(&mut self) -> Verdict {
        if !self.writer.header_written() {
            self.settle_body().await;
        }
        self.writer.finish();
        if self.send().await.is_err() {
            return Verdict::Close;
        }
        if !self.writer.closes() && self.body.is_complete() {
            return Verdict::Keep;
        }
        if self.body.is_complete()
            || self.interim == Interim::Awaited
            || matches!(self.body, RequestBody::Broken(_))
        {
            return Verdict::Close;
        }
        // Go closes half a second after the FIN where it stopped reading a body.
        Verdict::Linger(RST_AVOIDANCE)
    }

    /// Before an answer's head is written, Go reads what is left of a short body, and gives the connection up for a
    /// long one.
    async fn settle_body(&mut self) {
        if self.body.is_complete() || self.writer.closes() || self.persistence == Persistence::Close
        {
            return;
        }
        if self.interim == Interim::Awaited || self.discard_body().await == Discarded::NotAll {
            self.writer.close_after();
        }
    }

    async fn discard_body(&mut self) -> Discarded {
        if self.interim == Interim::Awaited
            || self
                .body
                .left()
                .is_some_and(|left| left >= DISCARDED_AT_MOST)
        {
            return Discarded::NotAll;
        }
        let mut discarded = 0;
        loop {
            match self.read_piece().await {
                Ok(None) => return Discarded::All,
                Ok(Some(piece)) => discarded += piece.len() as u64,
                Err(_) => return Discarded::NotAll,
            }
            if discarded > DISCARDED_AT_MOST {
                return Discarded::NotAll;
            }
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        let sent = self.socket.write_all(&self.writer.out).await;
        self.writer.out.clear();
        self.writer.out.shrink_to(OUT_KEPT);
        sent
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Discarded {
    All,
    NotAll,
}

/// The size of Go's write buffer: what gathers beyond it is sent.
const SEND_AT: usize = 4096;

/// What a connection keeps of its output buffer between answers.
const OUT_KEPT: usize = 16 * 1024;

/// Go's `maxPostHandlerReadBytes`.
const DISCARDED_AT_MOST: u64 = 256 << 10;

/// Go's `rstAvoidanceDelay`.
pub(crate) const RST_AVOIDANCE: Duration = Duration::from_millis(500);
