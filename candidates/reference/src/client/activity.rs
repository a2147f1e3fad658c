//! What a client connection is doing, as its stream, its exchanges and its supervisor see it.
//!
//! The stream belongs to hyper, which wants it `Send`, hence atomics where cells would do: all parties share one thread.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Protocol, Timeouts};

/// What a client connection is doing.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Whether HTTP/2 is spoken; not known before a TLS handshake.
    is_http2: AtomicBool,
    opened: Instant,
    /// Requests whose response has not ended.
    exchanges: AtomicU32,
    /// Requests so far.
    requests: AtomicU32,
    /// When the connection last fell idle or began a head, in milliseconds since it was opened.
    since: AtomicU64,
    /// Whether bytes of a request head came since the connection fell idle.
    in_head: AtomicBool,
    /// When a write first found no room, in milliseconds since the connection was opened; `NEVER` while there is room.
    blocked_since: AtomicU64,
    /// Uploads that wait for an upstream to take bytes; hyper does not look at the socket meanwhile.
    stalled_uploads: AtomicU32,
    /// Whether response bytes were made that the stream has not flushed yet.
    unflushed: AtomicBool,
    /// Whether the client may still be sending when the connection ends.
    lingers: AtomicBool,
    /// Whether the connection must end with a reset, as its end would else look like the end of a response.
    resets: AtomicBool,
    draining: AtomicBool,
    /// Whether the connection must end now.
    cut: AtomicBool,
    interim_waits: AtomicBool,
    interim: Mutex<Vec<u8>>,
    wakers: Mutex<Wakers>,
}

#[derive(Debug, Default)]
struct Wakers {
    supervisor: Option<Waker>,
    flush: Vec<Waker>,
}

/// What the supervisor of a connection has to do about time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing until then.
    Not(Instant),
    /// The connection has had no request for long enough.
    Idle,
    /// The client is too slow with a head or takes no bytes.
    Stalled,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            is_http2: AtomicBool::new(false),
            opened: Instant::now(),
            exchanges: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            since: AtomicU64::new(0),
            in_head: AtomicBool::new(false),
            blocked_since: AtomicU64::new(NEVER),
            stalled_uploads: AtomicU32::new(0),
            unflushed: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            resets: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            interim_waits: AtomicBool::new(false),
            interim: Mutex::default(),
            wakers: Mutex::default(),
        }
    }

    /// Says what is spoken on the connection, before anything is.
    pub(crate) fn speaks(&self, protocol: Protocol) {
        self.is_http2.store(protocol == Protocol::H2, Relaxed);
    }

    /// What is spoken on the connection.
    pub(crate) fn protocol(&self) -> Protocol {
        match self.is_http2.load(Relaxed) {
            false => Protocol::H1,
            true => Protocol::H2,
        }
    }

    /// Counts a request until the returned exchange is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Exchange {
        self.exchanges.fetch_add(1, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.in_head.store(false, Relaxed);
        Exchange(self.clone())
    }

    /// Requests so far, the current one included.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Relaxed)
    }

    /// Bytes came from the client.
    pub(crate) fn received(&self) {
        let awaits_head = self.protocol() == Protocol::H1 || self.requests() == 0;
        if self.exchanges.load(Relaxed) == 0 && !self.in_head.load(Relaxed) {
            self.in_head.store(awaits_head, Relaxed);
            self.since.store(self.now(), Relaxed);
        }
    }

    /// The client's socket has room, or none.
    pub(crate) fn wrote<T>(&self, written: &Poll<T>) {
        match (written, self.blocked_since.load(Relaxed)) {
            (Poll::Pending, NEVER) => self.blocked_since.store(self.now(), Relaxed),
            (Poll::Pending, _) | (Poll::Ready(_), NEVER) => (),
            (Poll::Ready(_), _) => self.blocked_since.store(NEVER, Relaxed),
        }
    }

    /// An upload waits for its upstream until the returned stall is dropped.
    pub(crate) fn stall(self: &Arc<Self>) -> Stall {
        self.stalled_uploads.fetch_add(1, Relaxed);
        self.wake_supervisor();
        Stall(self.clone())
    }

    /// Whether somebody has to look if the client is still there, as hyper does not.
    pub(crate) fn must_look(&self) -> bool {
        self.stalled_uploads.load(Relaxed) > 0 && self.protocol() == Protocol::H1
    }

    /// Response bytes were handed to hyper.
    pub(crate) fn produced(&self) {
        self.unflushed.store(true, Relaxed);
    }

    /// hyper has written all that it was handed.
    pub(crate) fn flushed(&self) {
        if self.unflushed.swap(false, Relaxed) {
            for waker in self.wakers().flush.drain(..) {
                waker.wake();
            }
        }
    }

    /// Waits until what was produced is written, so that a broken response still delivers what came of it.
    pub(crate) fn poll_flushed(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.unflushed.load(Relaxed) {
            return Poll::Ready(());
        }
        self.wakers().flush.push(cx.waker().clone());
        Poll::Pending
    }

    /// The client may still be sending: read on a while after the answer, lest a reset destroys it.
    pub(crate) fn linger(&self) {
        self.lingers.store(true, Relaxed);
    }

    pub(crate) fn lingers(&self) -> bool {
        // hyper refuses a head by itself; then bytes were received that became no request.
        self.lingers.load(Relaxed) || self.in_head.load(Relaxed)
    }

    /// The connection must end with a reset.
    pub(crate) fn reset(&self) {
        self.resets.store(true, Relaxed);
    }

    pub(crate) fn resets(&self) -> bool {
        self.resets.load(Relaxed)
    }

    /// Queues an interim response to be written ahead of the final one.
    pub(crate) fn send_interim(&self, head: &[u8]) {
        self.interim
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(head);
        self.interim_waits.store(true, Relaxed);
    }

    /// The interim responses that wait, if any.
    pub(crate) fn interim(&self) -> Option<MutexGuard<'_, Vec<u8>>> {
        self.interim_waits
            .load(Relaxed)
            .then(|| self.interim.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All interim responses are written.
    pub(crate) fn interim_sent(&self) {
        self.interim_waits.store(false, Relaxed);
    }

    /// Lets the connection finish what is in flight and no more.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Relaxed);
        self.wake_supervisor();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Ends the connection now.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Relaxed);
        self.wake_supervisor();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Relaxed)
    }

    /// Remembers whom to wake when something is asked of the connection.
    pub(crate) fn supervised_by(&self, waker: &Waker) {
        self.wakers().supervisor = Some(waker.clone());
    }

    /// Whether the connection waits for something for too long.
    pub(crate) fn overdue(&self, timeouts: &Timeouts) -> Overdue {
        let at = |milliseconds| self.opened + Duration::from_millis(milliseconds);
        let now = Instant::now();
        let look_again = now
            + timeouts
                .header
                .min(timeouts.idle)
                .min(timeouts.send)
                .min(if self.must_look() {
                    LOOK_EVERY
                } else {
                    Duration::MAX
                });
        let blocked = self.blocked_since.load(Relaxed);
        let since = at(self.since.load(Relaxed));
        let (due, verdict) = if blocked != NEVER {
            (at(blocked) + timeouts.send, Overdue::Stalled)
        } else if self.exchanges.load(Relaxed) > 0 {
            return Overdue::Not(look_again);
        } else if self.in_head.load(Relaxed) || self.requests() == 0 {
            (since + timeouts.header, Overdue::Stalled)
        } else {
            (since + timeouts.idle, Overdue::Idle)
        };
        if due <= now {
            verdict
        } else {
            Overdue::Not(due.min(look_again))
        }
    }

    fn ended(&self) {
        if self.exchanges.fetch_sub(1, Relaxed) == 1 {
            self.since.store(self.now(), Relaxed);
        }
    }

    fn wake_supervisor(&self) {
        if let Some(waker) = &self.wakers().supervisor {
            waker.wake_by_ref();
        }
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }
}

/// A request whose response has not ended.
#[derive(Debug)]
pub(crate) struct Exchange(Arc<Activity>);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// An upload that waits for its upstream.
#[derive(Debug)]
pub(crate) struct Stall(Arc<Activity>);

impl Drop for Stall {
    fn drop(&mut self) {
        self.0.stalled_uploads.fetch_sub(1, Relaxed);
    }
}

/// How often it is looked whether a client is still there while its upload is stalled: the event loop does not tell, as the
/// client's unread bytes come before its end.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A time that no connection reaches.
const NEVER: u64 = u64::MAX;
