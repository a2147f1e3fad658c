//! Idle connections to one upstream, kept by one worker.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::Connection;
use super::connection::Certainty;
use crate::config::UpstreamAddress;
use crate::defect::{Defect, Defects};

/// Idle connections to one upstream, kept by one worker; the one used last is used first.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) upstream: UpstreamAddress,
    idle: Idle,
    /// Whose turn it is among the servers.
    turn: Cell<usize>,
    /// The first client of all, for the defect that goes on naming it.
    pub(crate) first_client: OnceCell<Box<str>>,
    /// Until when the upstream counts as failed, for the defects that remember that.
    pub(crate) failed_until: Cell<Option<Instant>>,
    /// One turn at a time, for the defect that asks the upstream one thing at a time.
    pub(crate) turns: Arc<Semaphore>,
}

/// Idle connections; shared between pools only by the defect that mixes them.
pub(crate) type Idle = Rc<RefCell<Vec<Connection>>>;

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    Refused,
    TimedOut,
}

impl Pool {
    pub(crate) fn new(upstream: UpstreamAddress, idle: Idle) -> Self {
        let turns = Arc::new(Semaphore::new(1));
        Self {
            upstream,
            idle,
            turn: Cell::new(0),
            first_client: OnceCell::new(),
            failed_until: Cell::new(None),
            turns,
        }
    }

    /// An idle connection that still stands.
    pub(crate) fn take(&self, certainty: Certainty, idle_limit: Duration) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(connection) = idle.pop() {
            if connection.stands(certainty) && connection.idle_since.elapsed() < idle_limit {
                return Some(connection);
            }
        }
        None
    }

    /// A new connection: to the server whose turn it is, or the next one that takes it; to a backup where none does.
    pub(crate) async fn connect(
        &self,
        limit: Duration,
        defects: Defects,
    ) -> Result<Connection, Unreachable> {
        let UpstreamAddress {
            servers, backups, ..
        } = &self.upstream;
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let shared;
        let servers = match defects.has(Defect::BackupShares) {
            true => {
                shared = [&servers[..], backups].concat();
                &shared
            }
            false => servers,
        };
        let in_turn = servers.iter().cycle().skip(turn % servers.len());
        let tried = match defects.has(Defect::NoFailover) {
            true => 1,
            false => servers.len(),
        };
        let reserve: &[SocketAddr] =
            match defects.has(Defect::BackupNeverUsed) || defects.has(Defect::NoFailover) {
                true => &[],
                false => backups,
            };
        let mut unreachable = Unreachable::Refused;
        for server in in_turn.take(tried).chain(reserve) {
            match timeout(limit, Connection::open(*server)).await {
                Ok(Ok(mut connection)) => {
                    connection.is_backup = reserve.contains(server);
                    return Ok(connection);
                }
                Ok(Err(_)) => unreachable = Unreachable::Refused,
                Err(_) => unreachable = Unreachable::TimedOut,
            }
        }
        Err(unreachable)
    }

    /// Keeps a connection whose response was read to the end, if there is room; not one to a backup, lest it get requests
    /// after the others are back.
    pub(crate) fn put(&self, mut connection: Connection) {
        if connection.is_backup {
            return;
        }
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.upstream.pool {
            connection.idle_since = Instant::now();
            connection.turn = None;
            idle.push(connection);
        }
    }

    /// Closes what the upstream has closed and what was not used for long.
    pub(crate) fn sweep(&self, idle_limit: Duration) {
        let keep = |connection: &Connection| {
            connection.idle_since.elapsed() < idle_limit && connection.stands(Certainty::Asked)
        };
        self.idle.borrow_mut().retain(keep);
    }
}
