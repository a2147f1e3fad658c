//! A connection to CPA that carries one proxied request.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::base_url::BaseUrl;
use super::client::{DIAL_TIMEOUT, connect, malformed};
use super::dial::broken;
use crate::ledger::Framing;
use crate::upstream::{Exchange, Request};
use crate::wire::http1::{
    AnswerDecoder, AnswerEnd, AnswerEvent, AnswerFraming, AnswerHead, Asked, chunk,
};

/// A connection to CPA with what was read of the answer.
pub(super) struct UpstreamConnection {
    pub(super) stream: TcpStream,
    pub(super) buffer: BytesMut,
    decoder: AnswerDecoder,
    framing: AnswerFraming,
}

impl UpstreamConnection {
    /// Connects, sends the request, and reads the answer's head.
    ///
    /// # Errors
    /// With Go's reason.
    pub(super) async fn open(
        base_url: &BaseUrl,
        head: &str,
        request: &Request,
        exchange: &mut Exchange,
    ) -> Result<(Self, AnswerHead), String> {
        let stream = connect(base_url, DIAL_TIMEOUT).await?;
        let decoder = AnswerDecoder::new(Asked::of(request.method()));
        let mut upstream = Self {
            stream,
            buffer: BytesMut::new(),
            decoder,
            framing: AnswerFraming::None,
        };
        upstream.write(head.as_bytes()).await?;
        let chunked = request.framing() == Framing::Chunked;
        let mut sending = request.framing() != Framing::None;
        while sending {
            // An answer that comes before the body is whole ends the sending, as in Go.
            tokio::select! {
                biased;
                piece = exchange.read_piece() => match piece.map_err(|reason| reason.to_string())? {
                    Some(piece) if chunked => upstream.write(&chunk(&piece)).await?,
                    Some(piece) => upstream.write(&piece).await?,
                    None => sending = false,
                },
                read = upstream.stream.read_buf(&mut upstream.buffer) => {
                    if matches!(read, Ok(0)) { return Err("EOF".to_owned()); }
                    read.map_err(|reason| broken(&upstream.stream, "read", &reason))?;
                    sending = false;
                }
            }
        }
        if chunked && upstream.buffer.is_empty() {
            upstream.write(b"0\r\n\r\n").await?;
        }
        loop {
            match upstream.next().await? {
                AnswerEvent::Head(answer) => {
                    upstream.framing = answer.framing;
                    return Ok((upstream, answer));
                }
                AnswerEvent::Interim(_) => {}
                _ => return Err("EOF".to_owned()),
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.stream.write_all(bytes).await;
        written.map_err(|reason| broken(&self.stream, "write", &reason))
    }

    /// The next event, never [`AnswerEvent::More`].
    async fn next(&mut self) -> Result<AnswerEvent, String> {
        loop {
            match self
                .decoder
                .decode(&mut self.buffer)
                .map_err(|_| malformed(&self.buffer))?
            {
                AnswerEvent::More => {}
                event => return Ok(event),
            }
            self.buffer.reserve(COPY_BUFFER);
            let read = self.stream.read_buf(&mut self.buffer).await;
            if read.map_err(|reason| broken(&self.stream, "read", &reason))? == 0 {
                return match self.decoder.end_of_connection(&self.buffer) {
                    AnswerEnd::Complete => Ok(AnswerEvent::End(Vec::new())),
                    AnswerEnd::BeforeHead => Err("EOF".to_owned()),
                    AnswerEnd::WithinHead | AnswerEnd::Truncated => {
                        Err("unexpected EOF".to_owned())
                    }
                };
            }
        }
    }

    /// The next piece of the body as Go's reader gives it: a chunk is never divided but by the buffer's size, and goes
    /// together with the next one whose size is there already; `None` at the end.
    ///
    /// # Errors
    /// With Go's reason; the answer is cut then.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, String> {
        let mut piece = BytesMut::new();
        loop {
            let whole = match self.next().await? {
                AnswerEvent::Data(data) => {
                    piece.extend_from_slice(&data);
                    self.framing != AnswerFraming::Chunked
                }
                AnswerEvent::ChunkEnd => !piece.is_empty() && !self.buffer.contains(&b'\n'),
                AnswerEvent::End(_) if piece.is_empty() => return Ok(None),
                AnswerEvent::End(_) => return Ok(Some(piece.freeze())),
                _ => false,
            };
            if whole || piece.len() >= COPY_BUFFER {
                return Ok(Some(piece.freeze()));
            }
        }
    }
}

/// Of Go's copy buffer.
const COPY_BUFFER: usize = 32 << 10;
