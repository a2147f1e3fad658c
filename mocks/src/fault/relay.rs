//! A TCP relay between the candidate and an upstream.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::pump::{Pump, WayEnd};
use crate::ledger::How;
use crate::listeners::Listeners;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the candidate to the upstream.
    ToUpstream,
    /// From the upstream to the candidate.
    ToCandidate,
}

/// What a relay does to the bytes that pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Holds back every piece for this long.
    Delay(Way, Duration),
    /// Passes at most this many bytes at once, each in a segment of its own.
    Slice(Way, usize),
    /// Passes nothing after this many bytes of a connection, and keeps it open; what is held is passed on once another
    /// fault is set, or none.
    Stall(Way, u64),
    /// Resets both sides after this many bytes of a connection.
    Reset(Way, u64),
    /// Ends this way (FIN) after this many bytes of a connection; the other way goes on.
    HalfClose(Way, u64),
}

/// A relay to be started.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    upstream: SocketAddr,
    address: SocketAddr,
    listening: Listening,
}

/// Whether new connections are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listening {
    On,
    /// The port is known, and refuses.
    Off,
}

impl Relay {
    /// A relay to this upstream.
    #[must_use]
    pub fn to(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            listening: Listening::On,
        }
    }

    /// Listens on this address; port 0, as without it, for an ephemeral one.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Refuses connections until told to listen, as an upstream does that starts after the candidate.
    #[must_use]
    pub fn listening_late(mut self) -> Self {
        self.listening = Listening::Off;
        self
    }

    /// Binds and relays on the caller's runtime.
    ///
    /// # Errors
    /// When the address can't be bound.
    pub async fn start(self) -> io::Result<RunningRelay> {
        let listeners = Listeners::bind(self.address)?;
        let address = listeners.address();
        let shared = Arc::new(Shared {
            upstream: self.upstream,
            address,
            open: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            fewer: Notify::new(),
        });
        let (faults, _) = watch::channel(None);
        let (cuts, _) = watch::channel(None);
        let (listening, wanted) = watch::channel(self.listening);
        let (listens, listens_seen) = watch::channel((Listening::On, Ok(())));
        let acceptor = Acceptor {
            listeners,
            shared: Arc::clone(&shared),
            faults: faults.subscribe(),
            cuts: cuts.subscribe(),
            wanted,
            listens,
            connections: JoinSet::new(),
        };
        let task = tokio::spawn(acceptor.run());
        let relay = RunningRelay {
            shared,
            faults,
            cuts,
            listening,
            listens: listens_seen,
            task: Some(task),
        };
        relay.reach(self.listening).await?;
        Ok(relay)
    }
}

/// A running relay; stops when dropped.
#[derive(Debug)]
pub struct RunningRelay {
    shared: Arc<Shared>,
    faults: watch::Sender<Option<Fault>>,
    cuts: watch::Sender<Option<How>>,
    listening: watch::Sender<Listening>,
    listens: watch::Receiver<(Listening, Result<(), io::ErrorKind>)>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    address: SocketAddr,
    open: AtomicUsize,
    accepted: AtomicUsize,
    fewer: Notify,
}

impl RunningRelay {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Does this to all connections from now on, also those that are open, in place of what was set before.
    pub fn set(&self, fault: Fault) {
        self.faults.send_replace(Some(fault));
    }

    /// Passes everything again.
    pub fn clear(&self) {
        self.faults.send_replace(None);
    }

    /// Closes the listener: new connections are refused; those that are open go on.
    pub async fn refuse(&self) {
        // Closing cannot fail.
        let _ = self.reach(Listening::Off).await;
    }

    /// Listens on the same port again.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn listen(&self) -> io::Result<()> {
        self.reach(Listening::On).await
    }

    /// How many connections it has taken so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Ends every connection now, on both sides; returns how many there were, once they are ended.
    pub async fn cut_idle(&self, how: How) -> usize {
        let open = self.connections();
        self.cuts.send_replace(Some(how));
        loop {
            let fewer = self.shared.fewer.notified();
            if self.connections() == 0 {
                break;
            }
            fewer.await;
        }
        self.cuts.send_replace(None);
        open
    }

    /// Stops it and waits for the end of its tasks.
    ///
    /// # Panics
    /// With the panic of a task that panicked.
    pub async fn stop(mut self) {
        let Some(task) = self.task.take() else {
            return;
        };
        task.abort();
        if let Err(Ok(panic)) = task.await.map_err(JoinError::try_into_panic) {
            std::panic::resume_unwind(panic);
        }
    }

    async fn reach(&self, wanted: Listening) -> io::Result<()> {
        self.listening.send_replace(wanted);
        let mut listens = self.listens.clone();
        let reached = listens
            .wait_for(|(now, failed)| *now == wanted || failed.is_err())
            .await;
        match reached {
            Ok(reached) => reached.1.map_err(io::Error::from),
            Err(_) => Err(io::Error::other("the relay's accept loop has ended")),
        }
    }
}

impl Drop for RunningRelay {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

struct Acceptor {
    listeners: Listeners,
    shared: Arc<Shared>,
    faults: watch::Receiver<Option<Fault>>,
    cuts: watch::Receiver<Option<How>>,
    wanted: watch::Receiver<Listening>,
    listens: watch::Sender<(Listening, Result<(), io::ErrorKind>)>,
    connections: JoinSet<()>,
}

impl Acceptor {
    async fn run(mut self) {
        self.follow();
        loop {
            tokio::select! {
                changed = self.wanted.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                Some(ended) = self.connections.join_next() => {
                    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
                        std::panic::resume_unwind(panic);
                    }
                }
                (candidate, _) = self.listeners.accept() => self.serve(candidate),
            }
        }
    }

    fn follow(&mut self) {
        let wanted = *self.wanted.borrow_and_update();
        let reached = match wanted {
            Listening::Off => {
                self.listeners.close();
                Ok(())
            }
            Listening::On => self.listeners.reopen().map_err(|error| error.kind()),
        };
        let now = match self.listeners.is_open() {
            true => Listening::On,
            false => Listening::Off,
        };
        let _ = self.listens.send_replace((now, reached));
    }

    fn serve(&mut self, candidate: TcpStream) {
        self.shared.open.fetch_add(1, Ordering::SeqCst);
        self.shared.accepted.fetch_add(1, Ordering::SeqCst);
        let open = Open(Arc::clone(&self.shared));
        let (faults, cuts) = (self.faults.clone(), self.cuts.clone());
        self.connections.spawn(async move {
            relay(candidate, open.0.upstream, faults, cuts).await;
            drop(open);
        });
    }
}

/// Counts an open connection until dropped.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        self.0.fewer.notify_waiters();
    }
}

async fn relay(
    candidate: TcpStream,
    upstream: SocketAddr,
    faults: watch::Receiver<Option<Fault>>,
    mut cuts: watch::Receiver<Option<How>>,
) {
    let Ok(upstream) = TcpStream::connect(upstream).await else {
        // The nearest thing to a refusal that is left after an accept.
        let _ = SockRef::from(&candidate).set_linger(Some(Duration::ZERO));
        return;
    };
    for stream in [&candidate, &upstream] {
        // Without it segments are only later and larger.
        let _ = stream.set_nodelay(true);
    }
    let (candidate_read, candidate_write) = candidate.into_split();
    let (upstream_read, upstream_write) = upstream.into_split();
    let mut there = Pump::new(
        Way::ToUpstream,
        candidate_read,
        upstream_write,
        faults.clone(),
    );
    let mut back = Pump::new(Way::ToCandidate, upstream_read, candidate_write, faults);
    let cut = async {
        let cut = cuts.wait_for(Option::is_some).await;
        cut.ok().and_then(|how| *how)
    };
    let cut = tokio::select! {
        end = both(&mut there, &mut back) => Err(end),
        how = cut => Ok(how),
    };
    let end = match cut {
        Err(end) => end,
        Ok(Some(How::Reset)) => WayEnd::Reset,
        Ok(_) => noticed(&mut there, &mut back).await,
    };
    if end == WayEnd::Reset {
        for pump in [there, back] {
            let _ = SockRef::from(pump.from.as_ref()).set_linger(Some(Duration::ZERO));
            // Dropped as it is, a write half would send a FIN first.
            pump.to.forget();
        }
    }
}

/// Ends the candidate's connection, and waits a moment until the candidate has let go of it too: what is asked next must
/// not meet one that it only believes to be open. Bytes that come nevertheless get a reset, as from a closed socket.
async fn noticed(there: &mut Pump, back: &mut Pump) -> WayEnd {
    // It fails where there is nothing left to end.
    let _ = back.to.shutdown().await;
    let mut byte = [0];
    match tokio::time::timeout(LET_GO, there.from.read(&mut byte)).await {
        Ok(Ok(1..)) => WayEnd::Reset,
        _ => WayEnd::Fin,
    }
}

/// A candidate that holds on to a connection that has ended is waited for no longer.
const LET_GO: Duration = Duration::from_millis(500);

/// Runs both ways until both have ended, or one so that the other must end too.
async fn both(there: &mut Pump, back: &mut Pump) -> WayEnd {
    let finished = async |pump: &mut Pump| match pump.run().await {
        WayEnd::Fin => Ok(()),
        WayEnd::Reset => Err(()),
    };
    match tokio::try_join!(finished(there), finished(back)) {
        Ok(_) => WayEnd::Fin,
        Err(()) => WayEnd::Reset,
    }
}
