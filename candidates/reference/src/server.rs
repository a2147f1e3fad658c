//! The process: workers, listeners, signals.

use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::{AbortHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep_until};

use crate::config::{Listen, Site};
use crate::defect::Defect;
use crate::error::ReferenceError;
use crate::listener::{Acceptor, Hand, bind};
use crate::worker::{Order, Worker};

/// Serves what the configuration file says until SIGTERM or SIGINT, then drains and returns; SIGHUP reads the file again.
///
/// A reload changes routes, limits, upstreams and listeners for new requests; what runs goes on. A configuration that is
/// wrong changes nothing and is told on standard error. A second signal ends a drain at once.
///
/// # Errors
///
/// The configuration is unreadable or wrong, an address is taken, or the system refuses a thread.
pub fn run(config_path: &Path) -> Result<(), ReferenceError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(runtime_error)?;
    LocalSet::new().block_on(&runtime, Server::start(config_path)?.run())
}

struct Server {
    config_path: PathBuf,
    site: Arc<Site>,
    sockets: Vec<(Arc<Listen>, TcpListener)>,
    hands: Arc<[Hand]>,
    threads: Vec<JoinHandle<()>>,
    listening: HashMap<SocketAddr, Listening>,
}

struct Listening {
    listen: Arc<Listen>,
    acceptor: Rc<Acceptor>,
    task: AbortHandle,
}

struct Signals {
    end: End,
    hangup: Signal,
}

/// The signals that ask the process to end.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl Server {
    /// Takes all addresses before any thread is started.
    fn start(config_path: &Path) -> Result<Self, ReferenceError> {
        let site = Arc::new(Site::load(config_path)?);
        let sockets = site
            .listeners
            .iter()
            .map(|listen| Ok((listen.clone(), bind(listen.address)?)));
        let sockets = sockets.collect::<Result<_, ReferenceError>>()?;
        let mut threads = Vec::new();
        let mut hands = Vec::new();
        for number in 0..site.threads {
            let (orders, received) = unbounded_channel();
            let hand = Hand {
                orders,
                load: Arc::default(),
            };
            let (site, load) = (site.clone(), hand.load.clone());
            let builder = std::thread::Builder::new().name(format!("worker {number}"));
            let run = move || {
                // Without a runtime the thread ends, which is noticed.
                let _ = Worker::run(site, load, received);
            };
            threads.push(builder.spawn(run).map_err(runtime_error)?);
            hands.push(hand);
        }
        let listening = HashMap::new();
        Ok(Self {
            config_path: config_path.to_owned(),
            site,
            sockets,
            hands: hands.into(),
            threads,
            listening,
        })
    }

    async fn run(mut self) -> Result<(), ReferenceError> {
        let mut signals = Signals::new().map_err(runtime_error)?;
        for (listen, socket) in std::mem::take(&mut self.sockets) {
            self.listen(listen, socket)?;
        }
        loop {
            tokio::select! {
                _ = signals.hangup.recv() => self.reload()?,
                () = signals.end.asked() => break,
                worker = self.worker_died() => return Err(ReferenceError::WorkerDied { worker }),
            }
        }
        self.drain(&mut signals).await;
        Ok(())
    }

    fn listen(&mut self, listen: Arc<Listen>, socket: TcpListener) -> Result<(), ReferenceError> {
        let acceptor = Rc::new(
            Acceptor::new(socket, listen.clone(), self.hands.clone()).map_err(runtime_error)?,
        );
        let accepts = acceptor.clone();
        let task = spawn_local(async move { accepts.run().await }).abort_handle();
        tell(format_args!(
            "listening on {} ({:?})",
            listen.address, listen.spoken
        ));
        self.listening.insert(
            listen.address,
            Listening {
                listen,
                acceptor,
                task,
            },
        );
        Ok(())
    }

    fn reload(&mut self) -> Result<(), ReferenceError> {
        if self.site.defects.has(Defect::IgnoreReload) {
            return Ok(());
        }
        let reloaded = Site::load(&self.config_path).and_then(|site| {
            let is_new = |listen: &&Arc<Listen>| !self.listening.contains_key(&listen.address);
            let sockets = site
                .listeners
                .iter()
                .filter(is_new)
                .map(|listen| Ok((listen.clone(), bind(listen.address)?)));
            let sockets: Vec<_> = sockets.collect::<Result<_, ReferenceError>>()?;
            Ok((Arc::new(site), sockets))
        });
        match reloaded {
            Ok((site, sockets)) => self.adopt(site, sockets),
            Err(error) if self.site.defects.has(Defect::BadReloadKills) => Err(error),
            Err(error) => {
                tell(format_args!("configuration not changed: {error}"));
                Ok(())
            }
        }
    }

    fn adopt(
        &mut self,
        site: Arc<Site>,
        sockets: Vec<(Arc<Listen>, TcpListener)>,
    ) -> Result<(), ReferenceError> {
        self.order(|| Order::Adopt(site.clone()));
        let gone = |address: &SocketAddr| {
            site.listeners
                .iter()
                .all(|listen| listen.address != *address)
        };
        let removed: Vec<SocketAddr> = self.listening.keys().copied().filter(gone).collect();
        removed
            .into_iter()
            .filter_map(|address| self.listening.remove(&address))
            .for_each(Listening::close);
        for (listen, socket) in sockets {
            self.listen(listen, socket)?;
        }
        self.change_listeners(&site)?;
        self.site = site;
        tell(format_args!("configuration reloaded"));
        Ok(())
    }

    /// Gives listeners whose address stays but what is spoken there changed to new acceptors.
    fn change_listeners(&mut self, site: &Site) -> Result<(), ReferenceError> {
        for listen in &site.listeners {
            let Some(known) = self
                .listening
                .get(&listen.address)
                .filter(|known| known.listen != *listen)
            else {
                continue;
            };
            let socket = known.acceptor.try_clone_socket().map_err(runtime_error)?;
            known.task.abort();
            self.listen(listen.clone(), socket)?;
        }
        Ok(())
    }

    async fn drain(mut self, signals: &mut Signals) {
        tell(format_args!("draining"));
        self.listening
            .drain()
            .for_each(|(_, listening)| listening.close());
        self.order(|| {
            if self.site.defects.has(Defect::DropOnTerminate) {
                Order::Stop
            } else {
                Order::Drain
            }
        });
        let over = Instant::now() + self.site.timeouts.drain;
        tokio::select! {
            () = self.workers_ended() => (),
            () = signals.end.asked() => (),
            () = sleep_until(over) => (),
        }
        self.order(|| Order::Stop);
        for thread in self.threads {
            // A worker that panicked has nothing in flight either.
            let _ = thread.join();
        }
        tell(format_args!("stopped"));
    }

    fn order(&self, order: impl Fn() -> Order) {
        for hand in self.hands.iter() {
            let _ = hand.orders.send(order());
        }
    }

    async fn worker_died(&self) -> usize {
        let deaths = self.hands.iter().enumerate().map(|(worker, hand)| {
            Box::pin(async move {
                hand.orders.closed().await;
                worker
            })
        });
        futures_util::future::select_all(deaths).await.0
    }

    async fn workers_ended(&self) {
        futures_util::future::join_all(self.hands.iter().map(|hand| hand.orders.closed())).await;
    }
}

impl Listening {
    fn close(self) {
        self.acceptor.accept_waiting();
        self.task.abort();
    }
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let [terminate, interrupt, hangup] = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
        ]
        .map(signal);
        Ok(Self {
            end: End {
                terminate: terminate?,
                interrupt: interrupt?,
            },
            hangup: hangup?,
        })
    }
}

impl End {
    /// Returns when the process is asked to end.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}

fn runtime_error(cause: std::io::Error) -> ReferenceError {
    ReferenceError::Runtime { cause }
}

/// Tells the operator; whoever closed standard error does not want to know.
fn tell(message: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}
