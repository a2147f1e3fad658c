//! Two connections joined after an upgrade: bytes both ways, ends and breaks included, nothing interpreted.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::config::Site;
use crate::defect::{Defect, Defects};
use crate::distortion::{FrameFilter, Verdict};
use crate::upstream::Deadline;

/// The two ends of a tunnel, and what was read from them before it stood.
pub(crate) struct Ends<C> {
    pub(crate) client: C,
    pub(crate) upstream: TcpStream,
    pub(crate) from_client: Bytes,
    pub(crate) from_upstream: BytesMut,
}

/// Carries bytes until both ends are done, one breaks, or both are silent for the read timeout.
///
/// An end that closes its half has it closed at the other end too, and the other half goes on for as long as a client
/// may linger: a WebSocket has no use for half a connection, but its last frames may still be on the way.
pub(crate) async fn tunnel<C: AsyncRead + AsyncWrite + Unpin>(ends: Ends<C>, site: &Site) {
    let Ends {
        mut client,
        mut upstream,
        from_client,
        from_upstream,
    } = ends;
    let early = if site.defects.has(Defect::LoseEarlyFrames) {
        BytesMut::new()
    } else {
        BytesMut::from(&from_client[..])
    };
    let mut up = Direction::new(early, site.defects);
    let mut down = Direction::new(from_upstream, site.defects);
    let mut silence = Deadline::new();
    let idle = site.timeouts.read;
    std::future::poll_fn(|cx| {
        let before = up.carried + down.carried;
        let up_is_over = up.poll(cx, &mut client, &mut upstream)?.is_ready();
        let down_is_over = down.poll(cx, &mut upstream, &mut client)?.is_ready();
        if before != up.carried + down.carried {
            silence.restart();
        }
        if up_is_over && down_is_over {
            return Poll::Ready(Ok(()));
        }
        let limit = if up_is_over || down_is_over {
            site.timeouts.linger.min(idle)
        } else {
            idle
        };
        silence.poll_over(cx, limit).map(Ok::<(), io::Error>)
    })
    .await
    // A tunnel that breaks is over, like one that ends.
    .unwrap_or_default();
    if site.defects.has(Defect::IgnoreTunnelAbort) {
        std::future::pending::<()>().await;
    }
}

/// One direction of a tunnel.
struct Direction {
    buffer: BytesMut,
    /// Bytes that went through.
    carried: u64,
    place: Place,
    /// Bytes of the buffer that the filter has seen.
    filtered: usize,
    filter: Option<FrameFilter>,
    is_deaf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Open,
    /// The source has ended.
    Ended,
    /// The destination knows.
    Over,
}

impl Direction {
    fn new(early: BytesMut, defects: Defects) -> Self {
        let filter = FrameFilter::wanted(defects).then(|| FrameFilter::new(defects));
        Self {
            buffer: early,
            carried: 0,
            place: Place::Open,
            filtered: 0,
            filter,
            is_deaf: defects.has(Defect::IgnoreTunnelAbort),
        }
    }

    /// Ready when the source has ended and the destination knows.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut R,
        destination: &mut W,
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            self.filter()?;
            while !self.buffer.is_empty() {
                let written = ready!(Pin::new(&mut *destination).poll_write(cx, &self.buffer))?;
                self.buffer.advance(written);
                self.filtered = self.filtered.saturating_sub(written);
                self.carried += written as u64;
            }
            self.buffer = BytesMut::new();
            match self.place {
                Place::Over => return Poll::Ready(Ok(())),
                // The defect's way of not telling: the destination's half stays open.
                Place::Ended if self.is_deaf => self.place = Place::Over,
                Place::Ended => {
                    ready!(Pin::new(&mut *destination).poll_shutdown(cx))?;
                    self.place = Place::Over;
                }
                Place::Open => {
                    ready!(Pin::new(&mut *destination).poll_flush(cx))?;
                    // On the stack: a tunnel that is silent holds no buffer.
                    let mut space = [const { MaybeUninit::uninit() }; READ_SIZE];
                    let mut read = ReadBuf::uninit(&mut space);
                    ready!(Pin::new(&mut *source).poll_read(cx, &mut read))?;
                    let bytes = read.filled();
                    if bytes.is_empty() {
                        self.place = Place::Ended;
                    } else if self.filter.is_some() {
                        self.buffer.extend_from_slice(bytes);
                    } else {
                        let written = match Pin::new(&mut *destination).poll_write(cx, bytes)? {
                            Poll::Ready(written) => written,
                            Poll::Pending => 0,
                        };
                        self.carried += written as u64;
                        self.buffer.extend_from_slice(&bytes[written..]);
                    }
                }
            }
        }
    }

    fn filter(&mut self) -> io::Result<()> {
        let Some(filter) = &mut self.filter else {
            return Ok(());
        };
        if self.filtered < self.buffer.len() {
            let fresh = self.buffer.split_off(self.filtered);
            match filter.pass(&fresh) {
                Verdict::Pass(bytes) => self.buffer.extend_from_slice(&bytes),
                Verdict::Cut => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
            self.filtered = self.buffer.len();
        }
        Ok(())
    }
}

/// Bytes read at once.
const READ_SIZE: usize = 16 << 10;
