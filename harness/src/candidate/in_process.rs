//! A candidate that is a future in this process: for people who write a proxy in Rust.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{Ending, Foretold, Words};
use crate::protocol::Protocol;

/// The listeners that a candidate in this process is to serve, bound and listening.
#[derive(Debug)]
pub struct Listeners(pub(crate) BTreeMap<Protocol, TcpListener>);

impl Listeners {
    /// The one for this protocol, once; none where the deployment has no such listener or it was taken.
    pub fn take(&mut self, protocol: Protocol) -> Option<TcpListener> {
        self.0.remove(&protocol)
    }
}

/// Where a candidate in this process connects to.
#[derive(Clone, Debug)]
pub struct Upstreams(pub(crate) BTreeMap<String, SocketAddr>);

impl Upstreams {
    /// The address of an upstream by the deployment's name: `cpa`, `usage`; that of its first server.
    ///
    /// # Panics
    /// When the deployment has no upstream of this name.
    #[must_use]
    pub fn address(&self, name: &str) -> SocketAddr {
        let address = self.0.get(name).copied();
        address.unwrap_or_else(|| panic!("the deployment has no upstream `{name}`"))
    }
}

/// What makes the future of a candidate; each stage makes one of its own.
#[derive(Clone)]
pub struct InProcess {
    make: Arc<Make>,
}

type Make = dyn Fn(Listeners, Upstreams) -> BoxFuture<'static, io::Result<()>> + Send + Sync;

impl InProcess {
    pub(super) fn new<Serving>(
        make: impl Fn(Listeners, Upstreams) -> Serving + Send + Sync + 'static,
    ) -> Self
    where
        Serving: Future<Output = io::Result<()>> + Send + 'static,
    {
        Self {
            make: Arc::new(move |listeners, upstreams| make(listeners, upstreams).boxed()),
        }
    }

    /// Runs it on the caller's runtime; what it fails with goes where a program's words would go.
    pub(crate) fn start(
        &self,
        listeners: Listeners,
        upstreams: Upstreams,
        directory: &Path,
    ) -> Task {
        let serving = (self.make)(listeners, upstreams);
        let words = directory.join(Words::OUTPUT);
        let (told, ending) = Foretold::channel();
        let running = tokio::spawn(async move {
            // Dropped without an end of its own, as when it is aborted, it counts as told to end.
            let told = Told(told);
            let why = match AssertUnwindSafe(serving).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => format!("panicked: {}", message(&*panic)),
            };
            // Words that can't be written are missing in the report; the ending is there.
            let _ = std::fs::File::create(words).and_then(|mut file| writeln!(file, "{why}"));
            told.0.send_replace(Some(Ending::FAILED));
        });
        Task {
            abort: running.abort_handle(),
            ending,
        }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InProcess").finish_non_exhaustive()
    }
}

struct Told(watch::Sender<Option<Ending>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send_if_modified(|ending| {
            let first = ending.is_none();
            ending.get_or_insert(Ending::RETURNED);
            first
        });
    }
}

/// A running future; dropping this drops it.
#[derive(Debug)]
pub(crate) struct Task {
    abort: AbortHandle,
    ending: Foretold,
}

impl Task {
    pub(super) fn abort(&self) {
        self.abort.abort();
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending.now()
    }

    pub(super) async fn ended(&self) -> Ending {
        // The sender tells before it goes; one that is gone with the runtime has ended, too.
        self.ending.told().await.unwrap_or(Ending::RETURNED)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
