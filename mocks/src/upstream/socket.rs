//! One accepted connection's socket: read, written and watched by one task.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use futures_util::task::AtomicWaker;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::Notify;

use crate::ledger::{How, LiveArrival};

/// A socket whose end is noticed while a handler is busy with other things.
///
/// Everything is done by the connection's task; the lock is there for the type system and for [`Self::cut`].
#[derive(Debug)]
pub(crate) struct Socket {
    state: Mutex<State>,
    gone: AtomicU8,
    gone_notify: Notify,
    cut: AtomicU8,
    /// The task that [`Self::until_cut`] is awaited in.
    cut_waker: AtomicWaker,
}

#[derive(Debug)]
struct State {
    /// Also written through: the write half is given up so that dropping it does not send a FIN before a RST.
    half: OwnedReadHalf,
    buffer: BytesMut,
    next_read: usize,
    watch: Watch,
    arrival: Option<Arc<LiveArrival>>,
}

/// Whether bytes may be read while a handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// The request's body comes next, and reading it is the handler's business.
    Off,
    /// What comes is the next request, or the end of the connection.
    On,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    Bytes,
    Ended(How),
}

impl Socket {
    pub(crate) fn new(stream: TcpStream) -> Arc<Self> {
        // A socket without TCP_NODELAY only delays; there is nothing better to do about it.
        let _ = stream.set_nodelay(true);
        let (half, write) = stream.into_split();
        write.forget();
        Arc::new(Self {
            state: Mutex::new(State {
                half,
                buffer: BytesMut::new(),
                next_read: READ_AT_FIRST,
                watch: Watch::Off,
                arrival: None,
            }),
            gone: AtomicU8::new(0),
            gone_notify: Notify::new(),
            cut: AtomicU8::new(0),
            cut_waker: AtomicWaker::new(),
        })
    }

    /// Works on the bytes that were read and not used.
    pub(crate) fn with_buffer<T>(&self, work: impl FnOnce(&mut BytesMut) -> T) -> T {
        work(&mut self.state().buffer)
    }

    /// Reads more bytes into the buffer. Cancel-safe.
    pub(crate) async fn fill(&self) -> Filled {
        std::future::poll_fn(|cx| self.poll_fill(cx)).await
    }

    /// Attributes what happens from now on to this arrival, and watches for the end of the connection while its
    /// handler runs, or not yet.
    pub(crate) fn attribute(&self, arrival: Option<Arc<LiveArrival>>, watch: Watch) {
        let mut state = self.state();
        state.arrival = arrival;
        state.watch = watch;
        if state.buffer.is_empty() && state.buffer.capacity() > READ_AT_FIRST {
            state.buffer = BytesMut::new();
            state.next_read = READ_AT_FIRST;
        }
    }

    /// Lets the end of the connection be noticed while the handler runs.
    pub(crate) fn start_watching(&self) {
        self.state().watch = Watch::On;
    }

    pub(crate) fn is_watching(&self) -> bool {
        self.state().watch == Watch::On
    }

    /// Whether something changed that the handler may be waiting for.
    pub(crate) fn poll_watch(&self, cx: &mut Context<'_>) -> Poll<()> {
        {
            let state = self.state();
            if state.watch == Watch::Off
                || state.buffer.len() >= WATCH_LIMIT
                || self.peer_gone().is_some()
            {
                return Poll::Pending;
            }
        }
        self.poll_fill(cx).map(drop)
    }

    /// How the peer's sending side ended, if it was noticed.
    pub(crate) fn peer_gone(&self) -> Option<How> {
        decode(self.gone.load(Ordering::Acquire))
    }

    /// Waits until the end of the peer's sending side is noticed.
    pub(crate) async fn until_gone(&self) {
        loop {
            let mut notified = pin!(self.gone_notify.notified());
            notified.as_mut().enable();
            if self.peer_gone().is_some() {
                return;
            }
            notified.await;
        }
    }

    /// The same, also behind bytes that nobody reads.
    pub(crate) async fn until_gone_behind_unread(&self) {
        while !self.is_watching() {
            if self.ended_behind_unread() {
                return;
            }
            let looking_again = tokio::time::timeout(LOOK_AGAIN, self.until_gone());
            if looking_again.await.is_ok() {
                return;
            }
        }
        self.until_gone().await;
    }

    /// Writes as much as the operating system takes; recorded. Cancel-safe: what is returned is written, no more.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let written = std::future::poll_fn(|cx| self.poll_write(cx, bytes)).await;
        if written.is_err() {
            self.notice(How::Reset);
        }
        written
    }

    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = self.write(bytes).await?;
            bytes = &bytes[length..];
        }
        Ok(())
    }

    /// Ends the sending side (FIN).
    pub(crate) fn shut_down(&self) {
        // Fails only when the connection is gone, which is what it was to be.
        let _ = SockRef::from(self.state().half.as_ref()).shutdown(std::net::Shutdown::Write);
    }

    /// Makes the close of this socket a reset.
    pub(crate) fn reset_on_close(&self) {
        let _ = SockRef::from(self.state().half.as_ref()).set_linger(Some(Duration::ZERO));
    }

    /// FIN, then reads and drops what still comes, until the peer ends too or `limit` is over: unread bytes at close
    /// would turn the FIN into a reset.
    pub(crate) async fn linger(&self, limit: Duration) {
        self.shut_down();
        let drained = async {
            while self.fill().await == Filled::Bytes {
                self.with_buffer(BytesMut::clear);
            }
        };
        let _ = tokio::time::timeout(limit, drained).await;
    }

    /// FIN, and drops what has come already.
    pub(crate) fn end(&self) {
        self.shut_down();
        let state = self.state();
        let mut scrap = [0; 4096];
        for _ in 0..DRAINED_AT_END {
            if !matches!(state.half.try_read(&mut scrap), Ok(1..)) {
                return;
            }
        }
    }

    /// Asks the connection's task to end it.
    pub(crate) fn cut(&self, how: How) {
        self.cut.store(encode(how), Ordering::Release);
        self.cut_waker.wake();
    }

    /// Waits until [`Self::cut`] is called. Only the connection's task does.
    pub(crate) async fn until_cut(&self) -> How {
        std::future::poll_fn(|cx| {
            // Registered before it looks, so that a cut between the two wakes it.
            self.cut_waker.register(cx.waker());
            match decode(self.cut.load(Ordering::Acquire)) {
                Some(how) => Poll::Ready(how),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn poll_fill(&self, cx: &mut Context<'_>) -> Poll<Filled> {
        let read = {
            let state = &mut *self.state();
            state.buffer.reserve(state.next_read);
            let read = pin!(state.half.read_buf(&mut state.buffer)).poll(cx);
            if matches!(read, Poll::Ready(Ok(length)) if length >= state.next_read) {
                state.next_read = (state.next_read * 2).min(READ_AT_MOST);
            }
            read
        };
        let ended = match std::task::ready!(read) {
            Ok(0) => How::Fin,
            Ok(_) => return Poll::Ready(Filled::Bytes),
            Err(_) => How::Reset,
        };
        self.notice(ended);
        Poll::Ready(Filled::Ended(ended))
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = self.state();
        let stream = state.half.as_ref();
        loop {
            match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::task::ready!(stream.poll_write_ready(cx))?;
                }
                Ok(length) => {
                    if let Some(arrival) = &state.arrival {
                        arrival.wrote(&bytes[..length]);
                    }
                    return Poll::Ready(Ok(length));
                }
                failed => return Poll::Ready(failed),
            }
        }
    }

    fn ended_behind_unread(&self) -> bool {
        let how = {
            let state = self.state();
            let stream = state.half.as_ref();
            let ready = stream.ready(Interest::READABLE).now_or_never();
            let closed = matches!(ready, Some(Ok(ready)) if ready.is_read_closed());
            match stream.take_error() {
                Ok(Some(_)) | Err(_) => How::Reset,
                Ok(None) if closed => How::Fin,
                Ok(None) => return false,
            }
        };
        self.notice(how);
        true
    }

    fn notice(&self, how: How) {
        if self
            .gone
            .compare_exchange(0, encode(how), Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            if let Some(arrival) = &self.state().arrival {
                arrival.peer_gone(how);
            }
            self.gone_notify.notify_waiters();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a handler, and notices meanwhile what becomes of the peer.
///
/// The handler comes pinned: moving a future of several KiB costs more than parsing a head.
pub(crate) async fn watched<F: Future>(socket: &Socket, mut handler: Pin<&mut F>) -> F::Output {
    std::future::poll_fn(|cx| {
        loop {
            if let Poll::Ready(output) = handler.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            // What was read may be what the handler waits for: let it look again.
            if socket.poll_watch(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

fn encode(how: How) -> u8 {
    match how {
        How::Fin => 1,
        How::Reset => 2,
    }
}

fn decode(how: u8) -> Option<How> {
    match how {
        0 => None,
        1 => Some(How::Fin),
        _ => Some(How::Reset),
    }
}

/// Go's read buffer; enough for a usual head.
const READ_AT_FIRST: usize = 4096;

/// What large uploads are read in.
const READ_AT_MOST: usize = 64 * 1024;

/// How many bytes may be read ahead of a handler that is busy.
const WATCH_LIMIT: usize = 4096;

/// How many reads a close spends on what has come already.
const DRAINED_AT_END: usize = 64;

/// How often to look for the end of a connection behind bytes nobody reads: the operating system does not wake for it.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
