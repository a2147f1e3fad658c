//! The server all upstreams share: accepts, parses, records, and hands requests to a script or the service.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::{Rules, RunningUpstream, Service};
use crate::ledger::Ledger;

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
        let _ = (
            self.name,
            self.service,
            self.rules,
            self.ledger,
            self.listen,
        );
        todo!()
    }
}
