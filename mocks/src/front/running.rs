//! A running front, and what it tells.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::FrontConnection;
use super::connection::Connection;
use super::log::Log;
use super::server::Settings;

/// A running front; stops when dropped.
#[derive(Debug)]
pub struct RunningFront {
    pub(super) address: SocketAddr,
    pub(super) plain_address: Option<SocketAddr>,
    pub(super) log: Log,
    pub(super) listeners: Vec<JoinHandle<()>>,
}

impl RunningFront {
    /// Where it listens for TLS.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens without TLS, if it does.
    #[must_use]
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain_address
    }

    /// The latest 65 536 connections, in the order they were accepted.
    #[must_use]
    pub fn connections(&self) -> Vec<FrontConnection> {
        self.log.connections()
    }

    /// What `look` makes of the connections without copying them; no other can change meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&[FrontConnection]) -> T) -> T {
        self.log.look(look)
    }

    /// How many connections are no longer among [`Self::connections`].
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.log.forgotten()
    }

    /// The latest connection of the client with this address, its own or the one it claimed in a PROXY header.
    #[must_use]
    pub fn connection_from(&self, client: SocketAddr) -> Option<FrontConnection> {
        self.log.find(client)
    }

    /// What `look` makes of the connections, asked now and whenever one changes; `None` if it has not found anything by then.
    pub async fn until<T>(
        &self,
        within: Duration,
        mut look: impl FnMut(&[FrontConnection]) -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.log.changes();
        let search = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.log.look(&mut look) {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        timeout(within, search).await.ok().flatten()
    }

    /// Stops it and waits for the end of its listeners; open connections are cut.
    ///
    /// # Panics
    /// With the panic of a listener that panicked.
    pub async fn stop(mut self) {
        for listener in self.listeners.drain(..) {
            listener.abort();
            if let Err(ended) = listener.await
                && let Ok(panic) = ended.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }

    /// Serves what this listener accepts.
    pub(super) fn serve(
        &mut self,
        listener: TcpListener,
        settings: &Arc<Settings>,
        plain_host: Option<String>,
    ) {
        let serving = accept(
            listener,
            Arc::clone(settings),
            self.log.clone(),
            plain_host.map(Arc::from),
        );
        self.listeners.push(tokio::spawn(serving));
    }
}

impl Drop for RunningFront {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}

/// Accepts until it is aborted; its connections end with it.
async fn accept(
    listener: TcpListener,
    settings: Arc<Settings>,
    log: Log,
    plain_host: Option<Arc<str>>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve(Arc::clone(&settings), log.clone(), stream, peer, plain_host.clone()));
                }
                // No descriptors left, or the client is gone already: go on when that has passed.
                Err(_) => pause().await,
            },
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended.map_err(|ended| ended.try_into_panic())
                    && let Ok(panic) = panic
                {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

async fn serve(
    settings: Arc<Settings>,
    log: Log,
    stream: TcpStream,
    peer: SocketAddr,
    plain_host: Option<Arc<str>>,
) {
    let entry = log.open(peer);
    // Both are about latency only.
    let _ = stream.set_nodelay(true);
    let connection = Connection::new(&settings, &entry, &stream, peer);
    let ending = match plain_host {
        Some(host) => connection.serve_plain(stream, &host).await,
        None => connection.serve_tls(stream).await,
    };
    entry.end(ending);
}

#[expect(
    clippy::disallowed_methods,
    reason = "accept fails at once while descriptors are short"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}
