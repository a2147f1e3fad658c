//! The body of a response to a client.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::Exchange;
use crate::distortion::Distortion;
use crate::upstream::{BrokenResponse, ResponseBody};

/// The body of a response to a client; dropping it tells the upstream that nobody listens.
pub(crate) struct Body {
    content: Content,
    /// Keeps the connection from falling idle while the response lasts.
    exchange: Option<Exchange>,
}

enum Content {
    Full(Bytes),
    Streamed(Box<ResponseBody>),
    Distorted(Box<Distortion>),
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::full(Bytes::new())
    }

    pub(crate) const fn full(bytes: Bytes) -> Self {
        Self {
            content: Content::Full(bytes),
            exchange: None,
        }
    }

    pub(crate) fn streamed(body: ResponseBody) -> Self {
        Self {
            content: Content::Streamed(Box::new(body)),
            exchange: None,
        }
    }

    pub(crate) fn distorted(distortion: Distortion) -> Self {
        Self {
            content: Content::Distorted(Box::new(distortion)),
            exchange: None,
        }
    }

    /// Ends the exchange when the body ends.
    pub(crate) fn during(mut self, exchange: Exchange) -> Self {
        self.exchange = Some(exchange);
        self
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = BrokenResponse;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenResponse>>> {
        match &mut self.content {
            Content::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Streamed(body) => body.poll_frame(cx),
            Content::Distorted(distortion) => distortion.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Full(bytes) => bytes.is_empty(),
            Content::Streamed(body) => body.is_over(),
            Content::Distorted(distortion) => distortion.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Streamed(body) => body
                .remaining()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
            Content::Distorted(_) => SizeHint::default(),
        }
    }
}
