//! The relays before an upstream, one for each of its servers.

use std::io;
use std::net::SocketAddr;

use futures_util::future::join_all;
use proxyproof_mocks::fault::{Fault, RunningRelay};
use proxyproof_mocks::ledger::How;

/// The relays before an upstream: what is done to it is done to each of its servers.
#[derive(Debug)]
pub struct ServerRelays(pub(super) Vec<RunningRelay>);

impl ServerRelays {
    /// The relay before each server, in the order of the deployment: backups come last.
    #[must_use]
    pub fn servers(&self) -> &[RunningRelay] {
        &self.0
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(RunningRelay::address).collect()
    }

    /// Does this to all connections from now on, also those that are open, in place of what was set before.
    pub fn set(&self, fault: Fault) {
        self.0.iter().for_each(|relay| relay.set(fault));
    }

    /// Refuses new connections; those that are open go on.
    pub async fn refuse(&self) {
        join_all(self.0.iter().map(RunningRelay::refuse)).await;
    }

    /// Takes connections again.
    ///
    /// # Errors
    /// When a port can't be bound.
    pub async fn listen(&self) -> io::Result<()> {
        let listening = join_all(self.0.iter().map(RunningRelay::listen)).await;
        listening.into_iter().collect()
    }

    /// Ends every connection now, on both sides; returns how many there were, once they are ended.
    pub async fn cut_idle(&self, how: How) -> usize {
        let cut = join_all(self.0.iter().map(|relay| relay.cut_idle(how))).await;
        cut.into_iter().sum()
    }

    pub(super) async fn stop(self) {
        for relay in self.0 {
            relay.stop().await;
        }
    }
}
