//! A running upstream, and what a scenario can do to it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};

use super::accept::Order;
use super::scripts::Scripts;
use super::socket::Socket;
use super::stubs::Stubs;
use crate::ledger::{ConnectionId, How, Ledger};
use crate::probe_id::ProbeId;
use crate::script::Script;

/// What an upstream does to every connection it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtAccept {
    /// Serves it.
    Serve,
    /// Ends it before reading anything.
    End(How),
    /// Keeps it open and reads nothing.
    Hold,
}

/// A running upstream; stops when dropped.
#[derive(Debug)]
pub struct RunningUpstream {
    handle: Arc<Handle>,
    orders: mpsc::UnboundedSender<Order>,
    task: Option<JoinHandle<Option<JoinError>>>,
}

/// What a running upstream shares with its accept loop and connections.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    pub(crate) scripts: Arc<Scripts>,
    pub(crate) stubs: Arc<Stubs>,
    pub(crate) connections: OpenConnections,
    ledger: Ledger,
    at_accept: Mutex<AtAccept>,
}

impl RunningUpstream {
    pub(crate) fn new(
        handle: Arc<Handle>,
        orders: mpsc::UnboundedSender<Order>,
        task: JoinHandle<Option<JoinError>>,
    ) -> Self {
        Self {
            handle,
            orders,
            task: Some(task),
        }
    }

    /// Where it listens; the first address of several.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.handle.address
    }

    /// Its name in the ledger.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.handle.name
    }

    /// The ledger it records in.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.handle.ledger
    }

    /// Does this to requests of this probe instead of serving them. Given again for the same probe, the second request
    /// gets the second script, and so on; the last one holds for all that follow.
    pub fn script(&self, probe: ProbeId, script: Script) {
        self.handle.scripts.add(probe, script);
    }

    /// Does this to every request without a script of its own, or serves them again with `None`.
    pub fn default_script(&self, script: Option<Script>) {
        self.handle.scripts.set_default(script);
    }

    /// Answers requests that match this stub by it, before the service is asked. With any stub mounted, a request's
    /// body is read whole first.
    pub async fn mount(&self, stub: wiremock::Mock) {
        self.handle.stubs.mount(stub).await;
    }

    /// Does this to every connection accepted from now on.
    pub fn at_accept(&self, what: AtAccept) {
        *self
            .handle
            .at_accept
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Leaves new connections in the listener's backlog, where the operating system completes their handshakes.
    pub fn pause_accepting(&self) {
        self.tell(Order::Pause);
    }

    /// Accepts again.
    pub fn resume_accepting(&self) {
        self.tell(Order::Resume);
    }

    /// Closes the listener: new connections are refused; those that are open are served on.
    pub async fn close_listener(&self) {
        let (done, closed) = oneshot::channel();
        self.tell(Order::Close(done));
        // An accept loop that is gone has no listener either.
        let _ = closed.await;
    }

    /// Listens on the same address again.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn reopen(&self) -> io::Result<()> {
        let (done, reopened) = oneshot::channel();
        self.tell(Order::Reopen(done));
        reopened.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Listens on another address too, port 0 for an ephemeral one, as the servers of a group do that are one program here;
    /// gives it as bound. What closes the listener, or opens it again, does so at every address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn listen_also(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let (done, added) = oneshot::channel();
        self.tell(Order::Add(address, done));
        added.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Ends every open connection, idle or busy; returns how many there were once they are ended.
    pub async fn cut_connections(&self, how: How) -> usize {
        self.handle.connections.cut(how).await
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.handle.connections.count()
    }

    /// Stops it and waits for the end of its tasks.
    ///
    /// # Panics
    /// With the panic of a task that panicked.
    pub async fn stop(mut self) {
        self.tell(Order::Stop);
        let Some(task) = self.task.take() else {
            return;
        };
        let panicked = match task.await {
            Ok(panicked) => panicked,
            Err(error) => Some(error),
        };
        if let Some(Ok(panic)) = panicked.map(JoinError::try_into_panic) {
            std::panic::resume_unwind(panic);
        }
    }

    fn tell(&self, order: Order) {
        // The accept loop ends only with the runtime, and then there is nothing to tell.
        let _ = self.orders.send(order);
    }
}

impl Drop for RunningUpstream {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Handle {
    pub(crate) fn new(name: Arc<str>, address: SocketAddr, ledger: Ledger) -> Self {
        Self {
            name,
            address,
            scripts: Arc::default(),
            stubs: Arc::default(),
            connections: OpenConnections::default(),
            ledger,
            at_accept: Mutex::new(AtAccept::Serve),
        }
    }

    pub(crate) fn at_accept(&self) -> AtAccept {
        *self
            .at_accept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sockets of an upstream that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenConnections {
    sockets: Arc<Mutex<HashMap<ConnectionId, Arc<Socket>>>>,
    fewer: Arc<tokio::sync::Notify>,
}

/// A socket's place among the open ones; left when dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    all: OpenConnections,
    id: ConnectionId,
}

impl OpenConnections {
    pub(crate) fn add(&self, id: ConnectionId, socket: Arc<Socket>) -> OpenConnection {
        self.sockets().insert(id, socket);
        OpenConnection {
            all: self.clone(),
            id,
        }
    }

    fn count(&self) -> usize {
        self.sockets().len()
    }

    async fn cut(&self, how: How) -> usize {
        let cut: Vec<ConnectionId> = {
            let sockets = self.sockets();
            sockets.values().for_each(|socket| socket.cut(how));
            sockets.keys().copied().collect()
        };
        loop {
            let fewer = self.fewer.notified();
            if !cut.iter().any(|id| self.sockets().contains_key(id)) {
                return cut.len();
            }
            fewer.await;
        }
    }

    fn sockets(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Socket>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.all.sockets().remove(&self.id);
        self.all.fewer.notify_waiters();
    }
}

fn gone() -> io::Error {
    io::Error::other("the upstream's accept loop has ended")
}
