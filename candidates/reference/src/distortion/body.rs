//! Defects of a response body.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Frame};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, Sleep, sleep_until};

use super::gzip::Gzip;
use crate::client::Body;
use crate::defect::{Defect, Defects};
use crate::upstream::{BrokenResponse, corrupt};

/// A response body that a defect has its hands in.
pub(crate) struct Distortion {
    source: Source,
    defects: Defects,
    is_event_stream: bool,
    /// Whether everything is held until the end.
    collects: bool,
    held: BytesMut,
    /// The last piece, which is lost if the end comes first.
    hesitant: Option<(Bytes, Pin<Box<Sleep>>)>,
    gzip: Option<Gzip>,
    ready: VecDeque<Result<Frame<Bytes>, BrokenResponse>>,
    seen: u64,
    has_ended: bool,
}

type Piece = Result<Frame<Bytes>, BrokenResponse>;

enum Source {
    Body(Box<Body>),
    /// Read ahead without limit.
    Queue(UnboundedReceiver<Piece>),
}

impl Distortion {
    /// Whether any defect wants a response body.
    pub(crate) fn wanted(defects: Defects, collects: bool) -> bool {
        collects || DISTORTING.iter().any(|&defect| defects.has(defect))
    }

    /// Whether a length that was announced would not hold.
    pub(crate) fn changes_length(defects: Defects) -> bool {
        [
            Defect::CompressEvents,
            Defect::DropComments,
            Defect::LoseLastEvent,
            Defect::TruncationEndsCleanly,
        ]
        .iter()
        .any(|&defect| defects.has(defect))
    }

    /// Whether the body is sent gzip-encoded.
    pub(crate) fn compresses(defects: Defects, is_event_stream: bool) -> bool {
        is_event_stream && defects.has(Defect::CompressEvents)
    }

    pub(crate) fn new(body: Body, defects: Defects, is_event_stream: bool, collects: bool) -> Self {
        let source = match defects.has(Defect::UnboundedBuffer) {
            true => Source::Queue(read_ahead(body)),
            false => Source::Body(Box::new(body)),
        };
        Self {
            source,
            defects,
            is_event_stream,
            collects: collects || defects.has(Defect::BufferResponse),
            held: BytesMut::new(),
            hesitant: None,
            gzip: Self::compresses(defects, is_event_stream).then(Gzip::new),
            ready: VecDeque::new(),
            seen: 0,
            has_ended: false,
        }
    }

    /// Waits until there is something to send.
    pub(crate) async fn hold(&mut self) {
        std::future::poll_fn(|cx| {
            while self.ready.is_empty() && !self.has_ended {
                ready!(self.poll_source(cx));
            }
            Poll::Ready(())
        })
        .await;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.has_ended && self.ready.is_empty()
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        loop {
            if !self.ready.is_empty() {
                return Poll::Ready(self.ready.pop_front());
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            ready!(self.poll_source(cx));
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let piece = match &mut self.source {
            Source::Body(body) => Pin::new(body).poll_frame(cx),
            Source::Queue(queue) => queue.poll_recv(cx),
        };
        let Poll::Ready(piece) = piece else {
            return self.poll_hesitant(cx);
        };
        match piece {
            None => self.end(),
            Some(Err(_)) if self.defects.has(Defect::TruncationEndsCleanly) => self.end(),
            Some(Err(broken)) => {
                self.end();
                self.ready.push_back(Err(broken));
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.take(data),
                Err(_) if self.defects.has(Defect::DropResponseTrailers) => (),
                Err(trailers) => {
                    self.release();
                    self.ready.push_back(Ok(trailers));
                }
            },
        }
        Poll::Ready(())
    }

    fn poll_hesitant(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((_, later)) = &mut self.hesitant else {
            return Poll::Pending;
        };
        ready!(later.as_mut().poll(cx));
        if let Some((data, _)) = self.hesitant.take() {
            self.held.extend_from_slice(&data);
            self.release();
        }
        Poll::Ready(())
    }

    fn take(&mut self, mut data: Bytes) {
        let offset = self.seen;
        self.seen += data.len() as u64;
        if self.defects.has(Defect::CorruptResponse) {
            data = corrupt(data, offset);
        }
        if self.is_event_stream && self.defects.has(Defect::DropComments) {
            data = without_comments(&data);
        }
        if self.is_event_stream && self.defects.has(Defect::LoseLastEvent) {
            if CLOSING_EVENTS
                .iter()
                .any(|mark| memchr::memmem::find(&data, mark).is_some())
            {
                let before = self.hesitant.take();
                before
                    .iter()
                    .for_each(|(before, _)| self.held.extend_from_slice(before));
                self.release();
                return;
            }
            let later = Box::pin(sleep_until(Instant::now() + HESITATION));
            match self.hesitant.replace((data, later)) {
                Some((before, _)) => data = before,
                None => return,
            }
        }
        self.held.extend_from_slice(&data);
        let is_partial = !self.held.ends_with(b"\n\n");
        let keeps = self.collects
            || self.defects.has(Defect::HoldPartialEvents) && is_partial
            || self.defects.has(Defect::CoalesceEvents) && self.held.len() < COALESCED;
        if !keeps {
            self.release();
        }
    }

    fn release(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let piece = self.held.split().freeze();
        let piece = match &mut self.gzip {
            Some(gzip) => gzip.put(&piece).into(),
            None => piece,
        };
        self.ready.push_back(Ok(Frame::data(piece)));
    }

    fn end(&mut self) {
        self.release();
        if let Some(mut gzip) = self.gzip.take() {
            self.ready.push_back(Ok(Frame::data(gzip.end().into())));
        }
        self.has_ended = true;
    }
}

fn read_ahead(mut body: Body) -> UnboundedReceiver<Piece> {
    let (queue, queued) = unbounded_channel();
    tokio::task::spawn_local(async move {
        while let Some(piece) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            if queue.send(piece).is_err() {
                return;
            }
        }
    });
    queued
}

fn without_comments(data: &Bytes) -> Bytes {
    let lines = data
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !line.starts_with(b":"));
    lines.flatten().copied().collect()
}

const DISTORTING: &[Defect] = &[
    Defect::HoldHead,
    Defect::BufferResponse,
    Defect::HoldPartialEvents,
    Defect::CoalesceEvents,
    Defect::CompressEvents,
    Defect::DropComments,
    Defect::LoseLastEvent,
    Defect::TruncationEndsCleanly,
    Defect::UnboundedBuffer,
    Defect::CorruptResponse,
    Defect::DropResponseTrailers,
    // A body that knows its length has it announced again.
    Defect::SwallowLength,
];

/// What the closing events of the APIs have in them.
const CLOSING_EVENTS: [&[u8]; 3] = [b"[DONE]", b"response.completed", b"message_stop"];

/// How soon the end must follow for the last piece to be lost: sooner than anyone waits for that piece.
const HESITATION: Duration = Duration::from_millis(50);

const COALESCED: usize = 4 << 10;
