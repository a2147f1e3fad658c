//! A request on its way upstream: its head, then its body as the client sends it.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming};
use socket2::SockRef;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Deadline;
use crate::client::{Activity, Stall};
use crate::config::Timeouts;
use crate::defect::{Defect, Defects};
use crate::fields::{Fate, fate};

/// What is to be sent, and how.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) head: Bytes,
    pub(crate) framing: RequestFraming,
    pub(crate) opening: Opening,
    /// Bytes of the body that may come.
    pub(crate) allowance: u64,
    pub(crate) activity: Arc<Activity>,
    pub(crate) defects: Defects,
}

/// A request on its way upstream.
#[derive(Debug)]
pub(crate) struct Upload {
    outgoing: Outgoing,
    source: Source,
    /// Bytes of the body so far.
    taken: u64,
    /// What is to be written next: a head or a chunk's size, data, a chunk's end.
    front: Bytes,
    data: Bytes,
    back: &'static [u8],
    /// Bytes written in this attempt.
    written: u64,
    place: Place,
    wait: Option<Deadline>,
    /// While the upstream takes no bytes.
    stall: Option<Stall>,
}

/// Where a request body comes from.
#[derive(Debug)]
pub(crate) enum Source {
    None,
    Client(Incoming),
    /// Read ahead without limit, by the defects that do.
    Queue(UnboundedReceiver<hyper::Result<Frame<Bytes>>>),
}

impl Source {
    fn is_over(&self) -> bool {
        match self {
            Self::None => true,
            Self::Client(incoming) => incoming.is_end_stream(),
            Self::Queue(_) => false,
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match self {
            Self::None => Poll::Ready(None),
            Self::Client(incoming) => Pin::new(incoming).poll_frame(cx),
            Self::Queue(queue) => queue.poll_recv(cx),
        }
    }
}

/// How a request body is framed upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestFraming {
    Empty,
    Length,
    Chunked,
}

/// When the body is first asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// At once; what has arrived already goes out with the head.
    AtOnce,
    /// The same, but hyper reads HTTP/1 bodies only after they were asked for, so one turn of the event loop is granted.
    AfterTurn,
    /// When the upstream says 100 Continue, or after a while.
    OnContinue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    AwaitingContinue,
    Body,
    Over,
}

/// Why a request did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadError {
    /// The client hung up or broke its body's framing.
    ClientGone,
    /// The client stopped sending.
    ClientSilent,
    /// The body is beyond the limit.
    TooLarge,
    /// The upstream takes no bytes.
    UpstreamStalled,
    /// The upstream's connection broke.
    UpstreamGone,
}

impl Upload {
    pub(crate) fn new(outgoing: Outgoing, source: Source) -> Self {
        Self {
            front: outgoing.head.clone(),
            outgoing,
            source,
            taken: 0,
            data: Bytes::new(),
            back: b"",
            written: 0,
            place: Place::Head,
            wait: None,
            stall: None,
        }
    }

    /// Whether the client may have bytes of a body left to send.
    pub(crate) fn is_unfinished(&self) -> bool {
        !self.source.is_over() && self.place != Place::Over
    }

    /// Whether nothing of the request was written in this attempt.
    pub(crate) const fn is_unwritten(&self) -> bool {
        self.written == 0
    }

    /// Makes ready for another attempt, if nothing of the body is lost.
    pub(crate) fn rewind(&mut self) -> bool {
        if self.written == 0 {
            return true;
        }
        if self.taken > 0 {
            return false;
        }
        self.front = self.outgoing.head.clone();
        (self.data, self.back) = (Bytes::new(), b"");
        (self.written, self.place) = (0, Place::Head);
        true
    }

    /// The upstream wants the body.
    pub(crate) fn proceed(&mut self) {
        if self.place == Place::AwaitingContinue && !self.outgoing.defects.has(Defect::IgnoreExpect)
        {
            self.place = Place::Body;
        }
    }

    /// Writes on; ready when all of the request is written.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut OwnedWriteHalf,
        timeouts: &Timeouts,
    ) -> Poll<Result<(), UploadError>> {
        loop {
            if self.place == Place::Head {
                ready!(self.poll_open(cx))?;
            }
            if !self.is_flushed() {
                ready!(self.poll_write(cx, writer, timeouts))?;
                continue;
            }
            match self.place {
                Place::Over => return Poll::Ready(Ok(())),
                Place::AwaitingContinue => {
                    ready!(
                        self.wait
                            .get_or_insert_with(Deadline::new)
                            .poll_over(cx, timeouts.expect)
                    );
                    if self.outgoing.defects.has(Defect::IgnoreExpect) {
                        return Poll::Pending;
                    }
                    self.place = Place::Body;
                }
                Place::Head | Place::Body => match self.poll_take(cx) {
                    Poll::Ready(taken) => {
                        taken?;
                        self.progress();
                    }
                    Poll::Pending => {
                        ready!(
                            self.wait
                                .get_or_insert_with(Deadline::new)
                                .poll_over(cx, timeouts.body)
                        );
                        return Poll::Ready(Err(UploadError::ClientSilent));
                    }
                },
            }
        }
    }

    /// Decides what goes out together with the head.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        if matches!(self.source, Source::None) {
            self.place = Place::Over;
            if self.outgoing.framing == RequestFraming::Chunked {
                self.back = b"0\r\n\r\n";
            }
            return Poll::Ready(Ok(()));
        }
        if self.outgoing.opening == Opening::OnContinue {
            self.place = Place::AwaitingContinue;
            return Poll::Ready(Ok(()));
        }
        match self.poll_take(cx) {
            Poll::Ready(taken) => {
                if self.place == Place::Head {
                    self.place = Place::Body;
                }
                Poll::Ready(taken)
            }
            Poll::Pending if self.outgoing.opening == Opening::AfterTurn => {
                self.outgoing.opening = Opening::AtOnce;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => {
                self.place = Place::Body;
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Takes the next piece of the body from the client.
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        let taken = match ready!(self.source.poll_frame(cx)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.stage(data),
                Err(frame) => {
                    self.end(frame.into_trailers().ok().as_ref());
                    Ok(())
                }
            },
            Some(Err(_)) if self.outgoing.defects.has(Defect::CompleteAbortedUpload) => {
                self.end(None);
                Ok(())
            }
            Some(Err(_)) => Err(UploadError::ClientGone),
            None => {
                self.end(None);
                Ok(())
            }
        };
        Poll::Ready(taken)
    }

    fn stage(&mut self, data: Bytes) -> Result<(), UploadError> {
        let length = data.len() as u64;
        if length > self.outgoing.allowance {
            return Err(UploadError::TooLarge);
        }
        self.outgoing.allowance -= length;
        self.data = if self.outgoing.defects.has(Defect::CorruptUpload) {
            corrupt(data, self.taken)
        } else {
            data
        };
        self.taken += length;
        if self.outgoing.framing == RequestFraming::Chunked && length > 0 {
            let size = format!("{length:x}\r\n");
            self.front = if self.front.is_empty() {
                Bytes::from(size)
            } else {
                Bytes::from([&self.front, size.as_bytes()].concat())
            };
            self.back = b"\r\n";
        } else if self.source.is_over() {
            // HTTP/2 may end a body with an empty DATA frame.
            self.end(None);
        }
        Ok(())
    }

    fn end(&mut self, trailers: Option<&HeaderMap>) {
        self.place = Place::Over;
        if self.outgoing.framing != RequestFraming::Chunked {
            return;
        }
        match trailers.filter(|_| !self.outgoing.defects.has(Defect::DropRequestTrailers)) {
            None => self.back = b"0\r\n\r\n",
            Some(trailers) => {
                self.front = [&self.front, &last_chunk(trailers)]
                    .map(|piece| &piece[..])
                    .concat()
                    .into()
            }
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut OwnedWriteHalf,
        timeouts: &Timeouts,
    ) -> Poll<Result<(), UploadError>> {
        let written = match self.data.is_empty() && self.back.is_empty() {
            true => Pin::new(&mut *writer).poll_write(cx, &self.front),
            false => {
                let pieces = [
                    IoSlice::new(&self.front),
                    IoSlice::new(&self.data),
                    IoSlice::new(self.back),
                ];
                Pin::new(&mut *writer).poll_write_vectored(cx, &pieces)
            }
        };
        match written {
            Poll::Ready(written) => {
                if self.stall.take().is_some() {
                    end_by_reset(writer, false);
                }
                self.advance(written.map_err(|_| UploadError::UpstreamGone)?);
                self.progress();
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                if self.stall.is_none() && self.taken > 0 {
                    // Should it end now, the end would queue behind what the upstream does not take; a reset overtakes that.
                    end_by_reset(writer, true);
                    self.stall = Some(self.outgoing.activity.stall());
                }
                ready!(
                    self.wait
                        .get_or_insert_with(Deadline::new)
                        .poll_over(cx, timeouts.send)
                );
                Poll::Ready(Err(UploadError::UpstreamStalled))
            }
        }
    }

    fn advance(&mut self, mut written: usize) {
        self.written += written as u64;
        for piece in [&mut self.front, &mut self.data] {
            let length = written.min(piece.len());
            piece.advance(length);
            written -= length;
        }
        self.back = &self.back[written..];
    }

    fn progress(&mut self) {
        if let Some(wait) = &mut self.wait {
            wait.restart();
        }
    }

    const fn is_flushed(&self) -> bool {
        self.front.is_empty() && self.data.is_empty() && self.back.is_empty()
    }
}

/// Chooses how a connection ends when it is dropped.
fn end_by_reset(writer: &OwnedWriteHalf, resets: bool) {
    let socket: &TcpStream = writer.as_ref();
    // A socket that refuses the option is broken already.
    let _ = SockRef::from(socket).set_linger(resets.then_some(Duration::ZERO));
}

/// The last chunk with the trailers that may pass.
fn last_chunk(trailers: &HeaderMap) -> Bytes {
    let mut text = BytesMut::from("0\r\n");
    for (name, value) in trailers
        .iter()
        .filter(|(name, _)| fate(name.as_str()) == Fate::Pass)
    {
        for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            text.extend_from_slice(piece);
        }
    }
    text.extend_from_slice(b"\r\n");
    text.freeze()
}

/// Changes the byte after the first 64 KiB, for the defect that does.
pub(crate) fn corrupt(data: Bytes, offset: u64) -> Bytes {
    let target = CORRUPTED_AT
        .checked_sub(offset)
        .and_then(|at| usize::try_from(at).ok());
    match target.filter(|&at| at < data.len()) {
        None => data,
        Some(at) => {
            let mut data = data.to_vec();
            data[at] ^= 1;
            data.into()
        }
    }
}

const CORRUPTED_AT: u64 = 64 << 10;
