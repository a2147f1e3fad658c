//! One connection to an upstream.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Deadline;

/// One connection to an upstream.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) reader: OwnedReadHalf,
    /// Away while an upload goes on beside the response.
    pub(crate) writer: Option<OwnedWriteHalf>,
    /// Bytes read and not yet understood.
    pub(crate) buffer: BytesMut,
    /// Limits the wait for the upstream's next bytes.
    pub(crate) silence: Deadline,
    /// When it was last put into the pool.
    pub(crate) idle_since: Instant,
    /// Leads to a server that gets requests only while no other can.
    pub(crate) is_backup: bool,
    /// Holds the upstream for this connection alone, for the defect that asks it one thing at a time.
    pub(crate) turn: Option<OwnedSemaphorePermit>,
}

/// How sure one must be that a pooled connection still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// As far as the event loop has heard; for requests that may be sent again.
    Heard,
    /// The socket itself is asked.
    Asked,
}

impl Connection {
    /// Connects; the caller bounds the wait.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            reader,
            writer: Some(writer),
            buffer: BytesMut::new(),
            silence: Deadline::new(),
            idle_since: Instant::now(),
            is_backup: false,
            turn: None,
        })
    }

    /// Reads more; 0 is the upstream's end.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let socket: &TcpStream = self.reader.as_ref();
        ready!(socket.poll_read_ready(cx))?;
        self.buffer.reserve(READ_SIZE);
        let read = ready!(pin!(self.reader.read_buf(&mut self.buffer)).poll(cx));
        self.silence.restart();
        Poll::Ready(read)
    }

    /// Whether an idle connection still stands: neither closed nor written to by the upstream.
    pub(crate) fn stands(&self, certainty: Certainty) -> bool {
        let mut byte = [0];
        match certainty {
            Certainty::Heard => {
                matches!(self.reader.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Certainty::Asked => {
                let socket: &TcpStream = self.reader.as_ref();
                let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
                matches!(
                    rustix::net::recv(socket, &mut byte, flags),
                    Err(Errno::AGAIN)
                )
            }
        }
    }

    /// The whole socket and what was read of it, for a tunnel.
    pub(crate) fn into_parts(self) -> Option<(TcpStream, BytesMut)> {
        let stream = self.reader.reunite(self.writer?).ok()?;
        Some((stream, self.buffer))
    }
}

/// Bytes asked of the socket at once.
const READ_SIZE: usize = 16 << 10;
