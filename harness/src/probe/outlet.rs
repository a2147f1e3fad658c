//! Where a request's body goes: [`Outlet`], one for each HTTP version.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use h2::{Reason, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use proxyproof_mocks::ledger::Field;
use tokio::io::{AsyncWriteExt, WriteHalf};

use super::error::ProbeError;
use super::request::Payload;
use super::sent::Meter;
use super::stream::Stream;
use super::written::{h1_chunk, h1_last_chunk};

/// The sending side of one exchange.
#[derive(Debug)]
pub(crate) enum Outlet {
    H1(H1Outlet),
    H2(H2Outlet),
}

impl Outlet {
    /// Sends a part of the body. A wait for it that is given up loses nothing: the next call goes on.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), ProbeError> {
        match self {
            Self::H1(outlet) => outlet.write(bytes).await,
            Self::H2(outlet) => outlet.write(bytes, End::Open).await,
        }
    }

    /// Sends the end of the body.
    pub(crate) async fn finish(&mut self, trailers: &[Field]) -> Result<(), ProbeError> {
        match self {
            Self::H1(outlet) => outlet.finish(trailers).await,
            Self::H2(outlet) => outlet.finish(trailers).await,
        }
    }

    /// Sends a whole body; one written through the exchange has nothing to send here.
    pub(crate) async fn send(
        &mut self,
        payload: Payload,
        trailers: &[Field],
    ) -> Result<(), ProbeError> {
        let parts = match payload {
            Payload::None | Payload::StreamedLength(_) | Payload::Streamed => return Ok(()),
            Payload::Length(body) => vec![body],
            Payload::Chunked(chunks) => chunks,
        };
        let last = parts.len().saturating_sub(1);
        for (index, part) in parts.into_iter().enumerate() {
            match self {
                // HTTP/2 ends a stream with its last frame, as clients that know the whole body do.
                Self::H2(outlet) if index == last && trailers.is_empty() => {
                    return outlet.write(part, End::Stream).await;
                }
                _ => self.write(part).await?,
            }
        }
        self.finish(trailers).await
    }
}

/// How HTTP/1 frames a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Chunked,
}

/// HTTP/1: bytes, in chunks or not.
#[derive(Debug)]
pub(crate) struct H1Outlet {
    half: WriteHalf<Stream>,
    coding: Coding,
    pending: BytesMut,
    meter: Meter,
}

impl H1Outlet {
    pub(crate) fn new(half: WriteHalf<Stream>, coding: Coding, meter: Meter) -> Self {
        Self {
            half,
            coding,
            pending: BytesMut::new(),
            meter,
        }
    }

    pub(crate) fn into_half(self) -> WriteHalf<Stream> {
        self.half
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending.has_remaining()
    }

    /// Writes bytes that are no body: a head, or a whole small request in one segment.
    pub(crate) async fn write_raw(&mut self, bytes: &[u8]) -> Result<(), ProbeError> {
        self.pending.extend_from_slice(bytes);
        self.flush("the request").await
    }

    /// Says that no more bytes come (FIN).
    pub(crate) async fn half_close(&mut self) -> Result<(), ProbeError> {
        let shut = self.half.shutdown().await;
        shut.map_err(|cause| write_error("the end of the connection", cause))
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), ProbeError> {
        self.flush("the body").await?;
        let length = bytes.len();
        match self.coding {
            Coding::Identity => self.pending.extend_from_slice(&bytes),
            Coding::Chunked => self.pending.extend_from_slice(&h1_chunk(&bytes)),
        }
        let flushed = self.flush("the body").await;
        if flushed.is_ok() {
            self.meter.took(length);
        }
        flushed
    }

    async fn finish(&mut self, trailers: &[Field]) -> Result<(), ProbeError> {
        self.flush("the body").await?;
        if self.coding == Coding::Chunked {
            self.pending.extend_from_slice(&h1_last_chunk(trailers));
            self.flush("the end of the body").await?;
        }
        self.meter.complete();
        Ok(())
    }

    async fn flush(&mut self, what: &'static str) -> Result<(), ProbeError> {
        while self.pending.has_remaining() {
            let written = self.half.write_buf(&mut self.pending).await;
            if let Err(cause) = written {
                self.meter.cut(&cause.to_string());
                return Err(write_error(what, cause));
            }
        }
        let flushed = self.half.flush().await;
        flushed.map_err(|cause| write_error(what, cause))
    }
}

fn write_error(what: &'static str, cause: io::Error) -> ProbeError {
    ProbeError::Write {
        what,
        cause: Arc::new(cause),
    }
}

/// Whether a frame ends the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Stream,
}

/// HTTP/2: DATA frames as the peer's window allows.
#[derive(Debug)]
pub(crate) struct H2Outlet {
    stream: SendStream<Bytes>,
    pending: Bytes,
    meter: Meter,
}

impl H2Outlet {
    pub(crate) fn new(stream: SendStream<Bytes>, meter: Meter) -> Self {
        Self {
            stream,
            pending: Bytes::new(),
            meter,
        }
    }

    /// Gives the stream up with RST_STREAM.
    pub(crate) fn reset(&mut self, reason: Reason) {
        self.stream.send_reset(reason);
    }

    async fn write(&mut self, bytes: Bytes, end: End) -> Result<(), ProbeError> {
        self.drain(End::Open).await?;
        self.pending = bytes;
        self.drain(end).await?;
        if end == End::Stream {
            self.meter.complete();
        }
        Ok(())
    }

    async fn drain(&mut self, end: End) -> Result<(), ProbeError> {
        if self.pending.is_empty() && end == End::Stream {
            return self.send(Bytes::new(), true);
        }
        while !self.pending.is_empty() {
            self.stream.reserve_capacity(self.pending.len());
            let capacity = poll_fn(|cx| self.stream.poll_capacity(cx)).await;
            let room = match capacity {
                Some(Ok(room)) => room.min(self.pending.len()),
                Some(Err(error)) => return Err(self.cut(error)),
                None => return Err(self.cut(Reason::STREAM_CLOSED.into())),
            };
            let part = self.pending.split_to(room);
            let last = end == End::Stream && self.pending.is_empty();
            self.send(part, last)?;
            self.meter.took(room);
        }
        Ok(())
    }

    fn send(&mut self, part: Bytes, last: bool) -> Result<(), ProbeError> {
        let sent = self.stream.send_data(part, last);
        sent.map_err(|error| self.cut(error))
    }

    async fn finish(&mut self, trailers: &[Field]) -> Result<(), ProbeError> {
        self.drain(End::Open).await?;
        if trailers.is_empty() {
            self.send(Bytes::new(), true)?;
        } else {
            let sent = self.stream.send_trailers(header_map(trailers)?);
            sent.map_err(|error| self.cut(error))?;
        }
        self.meter.complete();
        Ok(())
    }

    fn cut(&self, error: h2::Error) -> ProbeError {
        self.meter.cut(&error.to_string());
        ProbeError::Write {
            what: "the body",
            cause: Arc::new(io::Error::other(error)),
        }
    }
}

/// Fields as the HTTP/2 library takes them.
pub(crate) fn header_map(fields: &[Field]) -> Result<HeaderMap, ProbeError> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(&field.name);
        let value = HeaderValue::from_maybe_shared(field.value.clone());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(ProbeError::Unsendable {
                reason: format!(
                    "HTTP/2 can't carry the field `{}`",
                    String::from_utf8_lossy(&field.name)
                ),
            });
        };
        map.append(name, value);
    }
    Ok(map)
}
