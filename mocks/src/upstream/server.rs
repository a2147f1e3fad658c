//! The server all upstreams share: accepts, parses, records, and hands requests to a script or the service.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::connection::Program;
use super::memory_budget::MemoryBudget;
use super::running::{Handle, RunningUpstream};
use super::{Rules, Service, accept};
use crate::ledger::Ledger;
use crate::listeners::Listeners;

/// An upstream to be started.
#[derive(Debug)]
pub struct Server<S> {
    name: Arc<str>,
    service: S,
    rules: Rules,
    ledger: Ledger,
    listen: SocketAddr,
}

impl<S: Service> Server<S> {
    /// An upstream of this name, on an ephemeral loopback port, with a ledger of its own.
    #[must_use]
    pub fn new(name: &str, service: S) -> Self {
        Self {
            name: name.into(),
            service,
            rules: Rules::default(),
            ledger: Ledger::new(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Follows these rules.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Records in this ledger.
    #[must_use]
    pub fn ledger(mut self, ledger: Ledger) -> Self {
        self.ledger = ledger;
        self
    }

    /// Listens on this address; port 0 for an ephemeral one.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Binds and serves on the caller's runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self) -> io::Result<RunningUpstream> {
        let listeners = Listeners::bind(self.listen)?;
        let address = listeners.address();
        let handle = Arc::new(Handle::new(self.name, address, self.ledger.clone()));
        let program = Arc::new(Program {
            service: self.service,
            rules: self.rules,
            ledger: self.ledger,
            scripts: Arc::clone(&handle.scripts),
            stubs: Arc::clone(&handle.stubs),
            heads: MemoryBudget::new(HEADS),
            bodies: MemoryBudget::new(BODIES),
        });
        let (orders, received) = tokio::sync::mpsc::unbounded_channel();
        let acceptor = accept::Acceptor::new(listeners, program, Arc::clone(&handle), received);
        let task = tokio::spawn(acceptor.run());
        Ok(RunningUpstream::new(handle, orders, task))
    }
}

/// What all unfinished heads may take together, in bytes.
const HEADS: usize = 64 << 20;

/// What all bodies that are being read whole may take together, in bytes.
const BODIES: usize = 512 << 20;
