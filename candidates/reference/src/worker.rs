//! One thread of the proxy: its connections and its pools, nothing shared with the other threads.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{AbortHandle, LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{Accepted, Activity};
use crate::config::{Listen, Site, Spoken};
use crate::defect::Defect;
use crate::upstream::{Idle, Pool};

/// What a worker is told.
pub(crate) enum Order {
    /// Serve a connection that was accepted.
    Serve(std::net::TcpStream, Arc<Listen>),
    /// Serve new requests by another configuration.
    Adopt(Arc<Site>),
    /// Finish what is in flight, then end.
    Drain,
    /// End.
    Stop,
}

/// One thread of the proxy.
pub(crate) struct Worker {
    live: RefCell<Rc<Live>>,
    tasks: RefCell<HashMap<u64, Task>>,
    next_task: Cell<u64>,
    task_ended: Notify,
    draining: Cell<bool>,
    drain_begun: Notify,
    /// Connections given to this worker, as the acceptor sees it.
    load: Arc<AtomicUsize>,
}

/// A configuration with its pools.
pub(crate) struct Live {
    pub(crate) site: Arc<Site>,
    pools: Vec<Rc<Pool>>,
}

struct Task {
    abort: AbortHandle,
    activity: Option<Arc<Activity>>,
}

impl Worker {
    /// Runs until told to end.
    pub(crate) fn run(
        site: Arc<Site>,
        load: Arc<AtomicUsize>,
        orders: UnboundedReceiver<Order>,
    ) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let worker = Rc::new(Self {
            live: RefCell::new(Rc::new(Live::new(site, None))),
            tasks: RefCell::default(),
            next_task: Cell::new(0),
            task_ended: Notify::new(),
            draining: Cell::new(false),
            drain_begun: Notify::new(),
            load,
        });
        LocalSet::new().block_on(&runtime, worker.obey(orders));
        Ok(())
    }

    /// The configuration of the moment.
    pub(crate) fn live(&self) -> Rc<Live> {
        self.live.borrow().clone()
    }

    /// Runs a task that a drain waits for.
    pub(crate) fn spawn(
        self: &Rc<Self>,
        activity: Option<Arc<Activity>>,
        task: impl Future<Output = ()> + 'static,
    ) {
        let id = self.next_task.get();
        self.next_task.set(id + 1);
        let entry = Entry {
            worker: self.clone(),
            id,
        };
        // An async block would keep room for the task twice: where it is captured and where it runs.
        let handle = spawn_local(task.map(|()| drop(entry)));
        self.tasks.borrow_mut().insert(
            id,
            Task {
                abort: handle.abort_handle(),
                activity,
            },
        );
    }

    /// Returns once the worker drains.
    pub(crate) async fn drain_begun(&self) {
        let begun = self.drain_begun.notified();
        if !self.draining.get() {
            begun.await;
        }
    }

    /// Ends all client connections now, for the defect that lets one end the others.
    pub(crate) fn cut_all(&self) {
        for task in self.tasks.borrow().values() {
            task.activity.iter().for_each(|activity| activity.cut());
        }
    }

    async fn obey(self: Rc<Self>, mut orders: UnboundedReceiver<Order>) {
        let mut sweep = interval(SWEEP_EVERY);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Serve(socket, listen)) => self.accept(socket, listen),
                    Some(Order::Adopt(site)) => self.adopt(site),
                    Some(Order::Drain) => self.drain(),
                    Some(Order::Stop) | None => return,
                },
                _ = sweep.tick() => self.live().sweep(),
                () = self.task_ended.notified(), if self.draining.get() => (),
            }
            if self.draining.get() && self.tasks.borrow().is_empty() {
                return;
            }
        }
    }

    fn accept(self: &Rc<Self>, socket: std::net::TcpStream, listen: Arc<Listen>) {
        let load = Load(self.load.clone());
        // A client that is gone again leaves a socket that cannot be set up.
        let Ok(socket) = TcpStream::from_std(socket) else {
            return;
        };
        let Ok(peer) = socket.peer_addr() else { return };
        let activity = Arc::new(Activity::new());
        let known = Some(activity.clone());
        let spoken = listen.spoken.clone();
        let accepted = Accepted {
            worker: self.clone(),
            peer: peer.ip(),
            listen,
            activity,
        };
        // Tasks of different types: one without TLS has no room for what one with it needs.
        match spoken {
            Spoken::Plain(protocol) => {
                let served = accepted.serve(socket, protocol);
                self.spawn(known, served.map(|()| drop(load)));
            }
            Spoken::Tls(tls) => {
                let served = accepted.serve_tls(socket, tls);
                self.spawn(known, served.map(|()| drop(load)));
            }
        }
    }

    fn adopt(&self, site: Arc<Site>) {
        let live = Rc::new(Live::new(site, Some(&self.live())));
        let drops = live.site.defects.has(Defect::DropOnReload);
        self.live.replace(live);
        if drops {
            self.tasks
                .borrow()
                .values()
                .for_each(|task| task.abort.abort());
        }
    }

    fn drain(&self) {
        if self.live().site.defects.has(Defect::IgnoreTerminate) && !self.tasks.borrow().is_empty()
        {
            return;
        }
        self.draining.set(true);
        self.drain_begun.notify_waiters();
        for task in self.tasks.borrow().values() {
            task.activity.iter().for_each(|activity| activity.drain());
        }
    }
}

impl Live {
    /// A configuration whose pools go on where the upstream is the same as before.
    fn new(site: Arc<Site>, before: Option<&Self>) -> Self {
        let shared = Idle::default();
        let pool = |upstream: &crate::config::UpstreamAddress| {
            let known = before
                .iter()
                .flat_map(|before| &before.pools)
                .find(|pool| pool.upstream == *upstream);
            let idle = if site.defects.has(Defect::OnePool) {
                shared.clone()
            } else {
                Idle::default()
            };
            let mut upstream = upstream.clone();
            if site.defects.has(Defect::SmallPool) {
                upstream.pool = upstream.pool.min(1);
            }
            known
                .cloned()
                .unwrap_or_else(|| Rc::new(Pool::new(upstream, idle)))
        };
        let pools = site.upstreams.iter().map(pool).collect();
        Self { site, pools }
    }

    /// The pool of an upstream, by its place in the configuration.
    pub(crate) fn pool(&self, upstream: usize) -> &Rc<Pool> {
        &self.pools[upstream]
    }

    /// All pools.
    pub(crate) fn pools(&self) -> &[Rc<Pool>] {
        &self.pools
    }

    fn sweep(&self) {
        self.pools
            .iter()
            .for_each(|pool| pool.sweep(self.site.timeouts.idle));
    }
}

/// Takes a task off the list when it ends, however it ends.
struct Entry {
    worker: Rc<Worker>,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.worker.tasks.borrow_mut().remove(&self.id);
        self.worker.task_ended.notify_one();
    }
}

/// Takes a connection off the acceptor's count.
struct Load(Arc<AtomicUsize>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// How often pools are swept; upstreams that close idle connections leave sockets behind until then.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
