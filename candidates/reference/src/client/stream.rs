//! A client's socket as hyper sees it: bytes that came with the PROXY header first, and an orderly end.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};

use super::{Activity, Transport};

/// A client's socket.
pub(crate) struct ClientStream<S: Transport = TcpStream> {
    socket: S,
    /// Bytes that were read before hyper took over.
    early: BytesMut,
    activity: Arc<Activity>,
    ending: Ending,
    linger: Duration,
}

/// How far the end of a connection has come.
enum Ending {
    Open,
    /// Our end is closed; the client's bytes are read and dropped until it closes too or the time is over.
    Lingering(Pin<Box<Sleep>>),
    Closed,
}

impl<S: Transport> ClientStream<S> {
    pub(crate) fn new(
        socket: S,
        early: BytesMut,
        activity: Arc<Activity>,
        linger: Duration,
    ) -> Self {
        // Mostly nothing came, and the room for it need not be held as long as the connection is.
        let early = match early.is_empty() {
            true => BytesMut::new(),
            false => early,
        };
        Self {
            socket,
            early,
            activity,
            ending: Ending::Open,
            linger,
        }
    }

    /// Ends from now on without lingering: the stream belongs to a tunnel.
    pub(crate) fn hand_over(&mut self) {
        self.linger = Duration::ZERO;
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Ending::Lingering(over) = &mut self.ending else {
            return Poll::Ready(());
        };
        let mut waste = [0; 4096];
        loop {
            if over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut waste);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => (),
                _ => return Poll::Ready(()),
            }
        }
    }

    /// Whether the client has closed or reset the connection, though bytes of it may be left to read.
    fn is_left(&self, cx: &mut Context<'_>) -> bool {
        match pin!(self.socket.socket().ready(Interest::READABLE)).poll(cx) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Brings on the way what the transport holds back.
    fn poll_pushed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !S::BUFFERS {
            return Poll::Ready(Ok(()));
        }
        let pushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.activity.wrote(&pushed);
        pushed
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(mut interim) = self.activity.interim() else {
            return Poll::Ready(Ok(()));
        };
        while !interim.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &interim))?;
            interim.drain(..written);
        }
        drop(interim);
        self.activity.interim_sent();
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.early.is_empty() {
            let length = this.early.len().min(buffer.remaining());
            buffer.put_slice(&this.early[..length]);
            this.early.advance(length);
            if this.early.is_empty() {
                this.early = BytesMut::new();
            }
            this.activity.received();
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            this.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_interim(cx))?;
        let written = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.activity.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_interim(cx))?;
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, pieces);
        this.activity.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_interim(cx))?;
        ready!(self.poll_pushed(cx))?;
        if self.activity.must_look() && self.is_left(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.activity.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.ending, Ending::Open) && !this.activity.resets() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
            let until = tokio::time::Instant::now() + this.linger;
            this.ending = match this.activity.lingers() && !this.linger.is_zero() {
                true => Ending::Lingering(Box::pin(sleep_until(until))),
                false => Ending::Closed,
            };
        }
        ready!(this.poll_linger(cx));
        this.ending = Ending::Closed;
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> Drop for ClientStream<S> {
    fn drop(&mut self) {
        if self.activity.resets() {
            // Without the reset the client gets a clean end; there is nothing better to do if that fails.
            let _ = SockRef::from(self.socket.socket()).set_linger(Some(Duration::ZERO));
        }
    }
}
