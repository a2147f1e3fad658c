//! A TCP relay between the candidate and an upstream.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::ledger::How;

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
    /// Passes nothing after this many bytes of a connection, and keeps it open.
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
}

impl Relay {
    /// A relay to this upstream.
    #[must_use]
    pub fn to(upstream: SocketAddr) -> Self {
        Self { upstream }
    }

    /// Binds an ephemeral loopback port and relays on the caller's runtime.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<RunningRelay> {
        Ok(RunningRelay {
            address: self.upstream,
        })
    }
}

/// A running relay; stops when dropped.
#[derive(Debug)]
pub struct RunningRelay {
    address: SocketAddr,
}

impl RunningRelay {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does this to all connections from now on, also those that are open, in place of what was set before.
    pub fn set(&self, fault: Fault) {
        let _ = fault;
        todo!()
    }

    /// Passes everything again.
    pub fn clear(&self) {
        todo!()
    }

    /// Closes the listener: new connections are refused.
    pub async fn refuse(&self) {
        todo!()
    }

    /// Listens on the same port again.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub async fn listen(&self) -> io::Result<()> {
        todo!()
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        todo!()
    }

    /// Ends every connection now, on both sides; returns how many there were.
    pub async fn cut_idle(&self, how: How) -> usize {
        let _ = how;
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
