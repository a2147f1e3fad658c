//! The bytes of a WebSocket, over either HTTP version.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::probe::stream::{Lever, Stream};
use crate::probe::task::Task;

/// A connection after its switch of protocols.
#[derive(Debug)]
pub(super) enum Tunnel {
    H1 { stream: Stream, lever: Lever },
    H2(H2Tunnel),
}

/// One HTTP/2 stream as bytes in both directions.
#[derive(Debug)]
pub(super) struct H2Tunnel {
    pub(super) outgoing: SendStream<Bytes>,
    pub(super) incoming: RecvStream,
    pub(super) unread: Bytes,
    #[expect(
        dead_code,
        reason = "held so that the connection lives as long as the tunnel"
    )]
    pub(super) driver: Arc<Task<()>>,
}

impl Tunnel {
    /// Makes the drop that follows an abrupt end: RST, or RST_STREAM with CANCEL.
    pub(super) fn arm_reset(&mut self) -> io::Result<()> {
        match self {
            Self::H1 { lever, .. } => lever.arm_reset(),
            Self::H2(tunnel) => {
                tunnel.outgoing.send_reset(Reason::CANCEL);
                Ok(())
            }
        }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::H1 { stream, .. } => Pin::new(stream).poll_read(cx, buf),
            Self::H2(tunnel) => tunnel.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::H1 { stream, .. } => Pin::new(stream).poll_write(cx, buf),
            Self::H2(tunnel) => tunnel.poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::H1 { stream, .. } => Pin::new(stream).poll_flush(cx),
            Self::H2(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::H1 { stream, .. } => Pin::new(stream).poll_shutdown(cx),
            Self::H2(tunnel) => Poll::Ready(
                tunnel
                    .outgoing
                    .send_data(Bytes::new(), true)
                    .map_err(io_error),
            ),
        }
    }
}

impl H2Tunnel {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(self.incoming.poll_data(cx)) {
                Some(Ok(bytes)) => {
                    // Only a stream that was reset meanwhile refuses, and its error is read next.
                    let _ = self.incoming.flow_control().release_capacity(bytes.len());
                    self.unread = bytes;
                }
                Some(Err(error)) => return Poll::Ready(Err(io_error(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread[..length]);
        self.unread.advance(length);
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.outgoing.reserve_capacity(buf.len());
        let room = match ready!(self.outgoing.poll_capacity(cx)) {
            Some(room) => room.map_err(io_error)?.min(buf.len()),
            None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        };
        let part = Bytes::copy_from_slice(&buf[..room]);
        let sent = self.outgoing.send_data(part, false);
        Poll::Ready(sent.map(|()| room).map_err(io_error))
    }
}

/// A reset stream is to a tunnel what a reset connection is.
fn io_error(error: h2::Error) -> io::Error {
    match error.is_reset() {
        true => io::Error::new(io::ErrorKind::ConnectionReset, error),
        false => io::Error::other(error),
    }
}
