//! HTTP/1 exchanges, on the codec of the mocks: exact bytes out, exact bytes and times in.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::wire::http1::{
    AnswerDecoder, AnswerEnd, AnswerEvent, AnswerFraming, AnswerHead, Asked, BadAnswer,
};
use tokio::io::{AsyncRead, ReadBuf, ReadHalf, WriteHalf};

use super::answer::{Delimited, End, Ending, Head, Informational, Piece, ResetBy};
use super::departure::Departure;
use super::error::ProbeError;
use super::exchange::{Begun, Exchange, Ground};
use super::hand::{Hand, Incoming};
use super::outlet::{Coding, H1Outlet, Outlet};
use super::request::{Continuation, Payload, Request};
use super::sent::{Meter, Sent};
use super::stream::{Lever, Stream};
use super::task::Task;
use super::upload::UploadState;

/// Where an HTTP/1 connection is while no exchange uses it; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat(Arc<Mutex<Option<Parts>>>);

/// An HTTP/1 connection between exchanges.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) read: ReadHalf<Stream>,
    pub(crate) write: WriteHalf<Stream>,
    pub(crate) buffer: BytesMut,
    pub(crate) lever: Lever,
}

/// What a reader's task leaves behind at the orderly end of an answer: the next one's bytes may have come already.
#[derive(Debug)]
pub(crate) struct Leftover {
    read: ReadHalf<Stream>,
    buffer: BytesMut,
}

impl Seat {
    pub(crate) fn of(stream: Stream, lever: Lever) -> Self {
        let (read, write) = tokio::io::split(stream);
        let parts = Parts {
            read,
            write,
            buffer: BytesMut::new(),
            lever,
        };
        Self(Arc::new(Mutex::new(Some(parts))))
    }

    pub(crate) fn take(&self) -> Option<Parts> {
        self.lock().take()
    }

    pub(crate) fn put(&self, parts: Parts) {
        *self.lock() = Some(parts);
    }

    pub(crate) fn sit(&self, leftover: Leftover, write: WriteHalf<Stream>, lever: Lever) {
        self.put(Parts {
            read: leftover.read,
            write,
            buffer: leftover.buffer,
            lever,
        });
    }

    pub(crate) fn is_occupied(&self) -> bool {
        self.lock().is_some()
    }

    /// Reads from an idle connection, which stays in its seat.
    pub(crate) fn poll_block(
        &self,
        block: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<Result<std::io::Result<usize>, ProbeError>> {
        match self.lock().as_mut() {
            Some(parts) => poll_block(&mut parts.read, block, cx).map(Ok),
            None => Poll::Ready(Err(IN_USE)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Parts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a request on the connection in the seat; `sent` has everything but the head and its time.
pub(crate) async fn open(
    seat: &Seat,
    request: &Request,
    sent: Sent,
) -> Result<Exchange, ProbeError> {
    let parts = seat.take().ok_or(IN_USE)?;
    let (hand, incoming, reading) = Hand::pair();
    let asked = Asked::of(&String::from_utf8_lossy(request.method()));
    // Reads before it writes: nothing that comes early is stamped late.
    let reader = Task::spawn(read_answer(parts.read, parts.buffer, asked, hand));
    let meter = Meter::default();
    let outlet = H1Outlet::new(parts.write, coding(request.payload()), meter.clone());
    let sent = Sent {
        head: request.h1_head(),
        at: Moment::now(),
        ..sent
    };
    let upload = begin_upload(request, outlet, &meter).await;
    let ground = Ground::H1 {
        seat: seat.clone(),
        lever: Some(parts.lever),
    };
    let begun = Begun {
        sent,
        meter,
        upload,
        incoming,
        reading,
        reader,
        ground,
    };
    Ok(Exchange::new(begun, None))
}

fn coding(payload: &Payload) -> Coding {
    match payload {
        Payload::Chunked(_) | Payload::Streamed => Coding::Chunked,
        Payload::None | Payload::Length(_) | Payload::StreamedLength(_) => Coding::Identity,
    }
}

/// Writes the head, and a small body with it in one segment, as clients do.
///
/// A peer that takes no more may have answered: what failed is in the meter, and the reader finds out the rest.
async fn begin_upload(request: &Request, mut outlet: H1Outlet, meter: &Meter) -> UploadState {
    let trailers = request.trailers().to_vec();
    let whole = matches!(request.payload(), Payload::Length(_) | Payload::Chunked(_));
    if whole && request.continuation() == Continuation::Unasked {
        meter.open();
        let bytes = request.h1_bytes();
        if bytes.len() <= ONE_SEGMENT {
            if outlet.write_raw(&bytes).await.is_ok() {
                meter.took(bytes.len() - request.h1_head().bytes().len());
                meter.complete();
            }
            return UploadState::Done(Some(Outlet::H1(outlet)));
        }
    }
    let written = outlet.write_raw(request.h1_head().bytes()).await;
    let outlet = Outlet::H1(outlet);
    if written.is_err() {
        return UploadState::Done(Some(outlet));
    }
    match (request.payload().clone(), request.continuation()) {
        (Payload::None, _) => UploadState::Done(Some(outlet)),
        (Payload::Streamed | Payload::StreamedLength(_), _) => {
            meter.open();
            UploadState::Streamed(outlet, trailers)
        }
        (payload, Continuation::Awaited) => UploadState::Withheld(outlet, payload, trailers),
        (payload, Continuation::Unasked) => UploadState::sending(outlet, payload, trailers),
    }
}

async fn read_answer(
    mut read: ReadHalf<Stream>,
    mut buffer: BytesMut,
    asked: Asked,
    mut hand: Hand,
) -> Option<Leftover> {
    let mut answer = AnswerReader::new(asked);
    let mut block = vec![0; READ_BLOCK];
    let mut at = Moment::now();
    loop {
        for event in answer.decode(&mut buffer, at) {
            let last = matches!(event, Incoming::End(_) | Incoming::Failed(_));
            let reusable = matches!(&event, Incoming::End(end) if end.ended == Ending::Complete);
            if !hand.over(event).await {
                return None;
            }
            if last {
                return reusable.then_some(Leftover { read, buffer });
            }
        }
        let filled = hand.while_on(|cx| poll_block(&mut read, &mut block, cx));
        let departure = match filled.await? {
            Ok(0) => Departure::Fin,
            Ok(length) => {
                at = Moment::now();
                buffer.extend_from_slice(&block[..length]);
                continue;
            }
            Err(error) => Departure::of(&error).unwrap_or(Departure::Reset),
        };
        hand.over(answer.depart(departure, &buffer)).await;
        return None;
    }
}

fn poll_block(
    read: &mut ReadHalf<Stream>,
    block: &mut [u8],
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<usize>> {
    let mut filled = ReadBuf::new(block);
    let result = std::task::ready!(Pin::new(read).poll_read(cx, &mut filled));
    Poll::Ready(result.map(|()| filled.filled().len()))
}

/// The decoder, and what of an answer has been handed over.
pub(crate) struct AnswerReader {
    decoder: AnswerDecoder,
    framing: Option<AnswerFraming>,
    chunk: u64,
}

impl AnswerReader {
    pub(crate) fn new(asked: Asked) -> Self {
        Self {
            decoder: AnswerDecoder::new(asked),
            framing: None,
            chunk: 0,
        }
    }

    /// Everything that the buffer has complete; bytes read at `at`.
    pub(crate) fn decode(&mut self, buffer: &mut BytesMut, at: Moment) -> Vec<Incoming> {
        let mut events = Vec::new();
        loop {
            let event = match self.decoder.decode(buffer) {
                Ok(AnswerEvent::More) => return events,
                Ok(AnswerEvent::ChunkEnd) => {
                    self.chunk += 1;
                    continue;
                }
                Ok(AnswerEvent::Interim(head)) => Incoming::Informational(Informational {
                    status: head.status,
                    head: head.raw,
                    at,
                }),
                Ok(AnswerEvent::Head(head)) => self.head(head, at),
                Ok(AnswerEvent::Data(bytes)) => Incoming::Piece(Piece {
                    at,
                    bytes,
                    chunk: self.chunk,
                }),
                Ok(AnswerEvent::End(trailers)) => Incoming::End(End {
                    ended: Ending::Complete,
                    trailers,
                    at,
                }),
                Err(error) => self.malformed(&error, buffer, at),
            };
            let last = matches!(event, Incoming::End(_) | Incoming::Failed(_));
            events.push(event);
            if last {
                return events;
            }
        }
    }

    fn head(&mut self, head: AnswerHead, at: Moment) -> Incoming {
        self.framing = Some(head.framing);
        Incoming::Head(Head {
            status: head.status,
            raw: head.raw,
            delimited: match head.framing {
                AnswerFraming::None | AnswerFraming::Tunnel => Delimited::NoBody,
                AnswerFraming::Length(length) => Delimited::Length(length),
                AnswerFraming::Chunked => Delimited::Chunked,
                AnswerFraming::UntilClose => Delimited::Close,
            },
            at,
        })
    }

    fn malformed(&self, error: &BadAnswer, buffer: &BytesMut, at: Moment) -> Incoming {
        let reason = error.to_string();
        if self.framing.is_none() {
            let received = Bytes::copy_from_slice(buffer);
            return Incoming::Failed(ProbeError::Malformed { reason, received });
        }
        Incoming::End(End {
            ended: Ending::Malformed { reason },
            trailers: Vec::new(),
            at,
        })
    }

    /// What the end of the connection makes of the answer.
    pub(crate) fn depart(&self, departure: Departure, buffer: &BytesMut) -> Incoming {
        let end = self.decoder.end_of_connection(buffer);
        let ended = match (end, departure) {
            (AnswerEnd::BeforeHead | AnswerEnd::WithinHead, how) => {
                let received = Bytes::copy_from_slice(buffer);
                return Incoming::Failed(ProbeError::Closed { how, received });
            }
            (_, Departure::Reset) => Ending::Reset(ResetBy::Tcp),
            (AnswerEnd::Complete, Departure::Fin) => Ending::Closed,
            // Under TLS a body that ends by the close is only whole with a close_notify (RFC 9112 section 9.8).
            (_, Departure::Cut | Departure::Fin) => Ending::Truncated,
        };
        Incoming::End(End::now(ended, Vec::new()))
    }
}

const IN_USE: ProbeError = ProbeError::Unusable {
    reason: "another exchange uses it, or gave it up",
};

/// A request up to this size goes out in one write, and is in the peer's socket buffer at once.
const ONE_SEGMENT: usize = 16 * 1024;

/// The size of a read: as much as a TLS record or the pipe of a relay holds, four times over.
const READ_BLOCK: usize = 64 * 1024;
