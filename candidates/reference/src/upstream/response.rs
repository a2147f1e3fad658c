//! The body of an upstream's response, read no faster than the client takes it.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::Frame;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use super::chunks::Chunks;
use super::head::Framing;
use super::{Connection, Pool, UploadError};
use crate::client::Activity;
use crate::defect::{Defect, Defects};

/// The body of an upstream's response; dropped before its end, it hangs up.
pub(crate) struct ResponseBody {
    /// Gone once the response is over.
    connection: Option<Connection>,
    progress: Progress,
    pool: Rc<Pool>,
    persists: bool,
    upload: Option<RunningUpload>,
    activity: Arc<Activity>,
    silence: Duration,
    cut: Cut,
    broken: Option<BrokenResponse>,
    defects: Defects,
}

/// How far the body has come.
enum Progress {
    Length(u64),
    Chunked(Chunks),
    Close,
}

/// How a broken response is shown to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The framing tells: a missing last chunk, a missing rest, a reset stream.
    Framing,
    /// The response ends where the connection does, so it has to be reset.
    Reset,
}

/// Why a response ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BrokenResponse {
    #[error("the upstream hung up inside its response")]
    Truncated,
    #[error("the upstream's chunked coding is broken")]
    Malformed,
    #[error("the upstream fell silent")]
    Silent,
    #[error("the request could not be sent to its end")]
    Upload,
}

/// An upload that goes on beside the response.
pub(crate) struct RunningUpload(pub(crate) JoinHandle<Result<OwnedWriteHalf, UploadError>>);

impl Drop for RunningUpload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a response body needs to know besides its connection.
pub(crate) struct Circumstances {
    pub(crate) framing: Framing,
    pub(crate) persists: bool,
    pub(crate) pool: Rc<Pool>,
    pub(crate) upload: Option<RunningUpload>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) silence: Duration,
    pub(crate) cut: Cut,
    pub(crate) defects: Defects,
}

impl ResponseBody {
    pub(crate) fn new(connection: Connection, circumstances: Circumstances) -> Self {
        let Circumstances {
            framing,
            persists,
            pool,
            upload,
            activity,
            silence,
            cut,
            defects,
        } = circumstances;
        let progress = match framing {
            Framing::Length(length) => Progress::Length(length),
            Framing::Chunked => Progress::Chunked(Chunks::default()),
            Framing::Close => Progress::Close,
        };
        let connection = Some(connection);
        Self {
            connection,
            progress,
            pool,
            persists,
            upload,
            activity,
            silence,
            cut,
            broken: None,
            defects,
        }
    }

    /// The whole body, if it has arrived and the request is sent; the connection is free then.
    pub(crate) fn take_whole(&mut self) -> Option<Bytes> {
        let connection = self.connection.as_mut()?;
        let Progress::Length(length) = self.progress else {
            return None;
        };
        if self.upload.is_some() || (connection.buffer.len() as u64) < length {
            return None;
        }
        let length = usize::try_from(length).ok()?;
        let whole = connection.buffer.split_to(length).freeze();
        self.release();
        Some(whole)
    }

    /// Whether all of it was handed out.
    pub(crate) const fn is_over(&self) -> bool {
        self.connection.is_none() && self.broken.is_none()
    }

    /// Bytes to come, where that is known.
    pub(crate) const fn remaining(&self) -> Option<u64> {
        match self.progress {
            Progress::Length(length) => Some(length),
            _ => None,
        }
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenResponse>>> {
        if let Some(broken) = self.broken {
            return self.poll_broken(cx, broken);
        }
        if let Poll::Ready(Err(broken)) = self.poll_upload(cx) {
            return self.poll_broken(cx, broken);
        }
        match ready!(self.poll_piece(cx)) {
            Ok(piece) => {
                self.activity.produced();
                Poll::Ready(piece.map(Ok))
            }
            Err(broken) => self.poll_broken(cx, broken),
        }
    }

    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Frame<Bytes>>, BrokenResponse>> {
        loop {
            let Some(connection) = &mut self.connection else {
                return Poll::Ready(Ok(None));
            };
            if let Some(piece) = self.progress.take(connection)? {
                let is_over = self.progress.is_over();
                if is_over {
                    self.finish(cx);
                }
                return Poll::Ready(Ok(Some(piece)));
            }
            if self.progress.is_over() {
                self.finish(cx);
                return Poll::Ready(Ok(None));
            }
            match connection.poll_fill(cx) {
                Poll::Ready(Ok(0)) if matches!(self.progress, Progress::Close) => {
                    self.connection = None;
                    return Poll::Ready(Ok(None));
                }
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(BrokenResponse::Truncated)),
                Poll::Ready(Ok(_)) => (),
                Poll::Pending => {
                    if connection.buffer.is_empty() {
                        // A stream may be silent for long, and then it need not hold memory.
                        connection.buffer = BytesMut::new();
                    }
                    ready!(connection.silence.poll_over(cx, self.silence));
                    return Poll::Ready(Err(BrokenResponse::Silent));
                }
            }
        }
    }

    /// Breaks off, once the client has what came before.
    fn poll_broken(
        &mut self,
        cx: &Context<'_>,
        broken: BrokenResponse,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenResponse>>> {
        if self.connection.is_some() {
            self.hang_up(broken);
        }
        self.broken = Some(broken);
        ready!(self.activity.poll_flushed(cx));
        if self.cut == Cut::Reset {
            self.activity.reset();
        }
        Poll::Ready(Some(Err(broken)))
    }

    fn hang_up(&mut self, broken: BrokenResponse) {
        self.upload = None;
        let connection = self.connection.take();
        if broken == BrokenResponse::Truncated && self.defects.has(Defect::ReuseAfterAbort) {
            connection
                .into_iter()
                .for_each(|connection| self.pool.put(connection));
        }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BrokenResponse>> {
        let Some(upload) = &mut self.upload else {
            return Poll::Ready(Ok(()));
        };
        let outcome = ready!(Pin::new(&mut upload.0).poll(cx));
        self.upload = None;
        match outcome {
            Ok(Ok(writer)) => {
                if let Some(connection) = &mut self.connection {
                    connection.writer = Some(writer);
                }
                Poll::Ready(Ok(()))
            }
            // The upstream takes no more but may have more to say.
            Ok(Err(UploadError::UpstreamGone)) => Poll::Ready(Ok(())),
            _ => Poll::Ready(Err(BrokenResponse::Upload)),
        }
    }

    fn finish(&mut self, cx: &mut Context<'_>) {
        let _ = self.poll_upload(cx);
        if self.upload.take().is_some() {
            // The client goes on sending what nobody will read.
            self.activity.linger();
        }
        self.release();
    }

    /// Gives the connection back, if its upstream and it are fit for another request.
    fn release(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let is_clean = connection.buffer.is_empty() || self.defects.has(Defect::KeepLeftover);
        let persists = self.persists && !self.defects.has(Defect::ConnectionPerRequest);
        if persists && is_clean && connection.writer.is_some() {
            self.pool.put(connection);
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if self.defects.has(Defect::ResetKillsConnection) {
            self.activity.cut();
        }
        if self.defects.has(Defect::ReuseAfterAbort) {
            self.pool.put(connection);
        } else if self.defects.has(Defect::IgnoreStreamAbort) {
            tokio::task::spawn_local(crate::distortion::read_on(connection));
        }
    }
}

impl Progress {
    /// The next piece, if it is in the buffer.
    fn take(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<Frame<Bytes>>, BrokenResponse> {
        let buffer = &mut connection.buffer;
        let data = match self {
            Self::Length(0) => None,
            Self::Length(left) => {
                let length =
                    usize::try_from(*left).map_or(buffer.len(), |left| left.min(buffer.len()));
                *left -= length as u64;
                (length > 0).then(|| buffer.split_to(length).freeze())
            }
            Self::Close => (!buffer.is_empty()).then(|| buffer.split().freeze()),
            Self::Chunked(chunks) => {
                chunks
                    .settle(buffer)
                    .map_err(|_| BrokenResponse::Malformed)?;
                let data = chunks.take_data(buffer);
                // Sees the end if it is there; what is broken shows again at the next piece, after this one was delivered.
                let _ = chunks.settle(buffer);
                match data {
                    Some(data) => Some(data),
                    None => return Ok(chunks.take_trailers().map(Frame::trailers)),
                }
            }
        };
        Ok(data.map(Frame::data))
    }

    /// Whether nothing is left to take.
    const fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_over(),
            Self::Close => false,
        }
    }
}
