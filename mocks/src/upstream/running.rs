//! A running upstream, and what a scenario can do to it.

use std::io;
use std::net::SocketAddr;

use crate::ledger::{How, Ledger};
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
    address: SocketAddr,
}

impl RunningUpstream {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its name in the ledger.
    #[must_use]
    pub fn name(&self) -> &str {
        todo!()
    }

    /// The ledger it records in.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        todo!()
    }

    /// Does this to requests of this probe instead of serving them. Given again for the same probe, the second request
    /// gets the second script, and so on; the last one holds for all that follow.
    pub fn script(&self, probe: ProbeId, script: Script) {
        let _ = (probe, script);
        todo!()
    }

    /// Does this to every request without a script of its own, or serves them again with `None`.
    pub fn default_script(&self, script: Option<Script>) {
        let _ = script;
        todo!()
    }

    /// Answers requests that match this stub by it, before the service is asked.
    pub async fn mount(&self, stub: wiremock::Mock) {
        let _ = stub;
        todo!()
    }

    /// Does this to every connection accepted from now on.
    pub fn at_accept(&self, what: AtAccept) {
        let _ = what;
        todo!()
    }

    /// Leaves new connections in the listener's backlog, where the operating system completes their handshakes.
    pub fn pause_accepting(&self) {
        todo!()
    }

    /// Accepts again.
    pub fn resume_accepting(&self) {
        todo!()
    }

    /// Closes the listener: new connections are refused; those that are open are served on.
    pub async fn close_listener(&self) {
        todo!()
    }

    /// Listens on the same address again.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn reopen(&self) -> io::Result<()> {
        todo!()
    }

    /// Ends every open connection now; returns how many there were.
    pub async fn cut_connections(&self, how: How) -> usize {
        let _ = how;
        todo!()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        todo!()
    }

    /// Stops it and waits for the end of its tasks.
    ///
    /// # Panics
    /// With the panic of a task that panicked.
    pub async fn stop(self) {
        todo!()
    }
}
