//! What became of each connection at the front, so that its faults can be told from the candidate's.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::moment::Moment;

/// One client connection at the front.
#[derive(Clone, Debug)]
pub struct FrontConnection {
    /// Its number at this front, from 1.
    pub id: u64,
    /// The client's end of the socket.
    pub peer: SocketAddr,
    /// The client's address by the PROXY header it opened with, if any.
    pub claimed: Option<SocketAddr>,
    /// The server name as sent; `None` before the hello and without one.
    pub sni: Option<String>,
    /// The negotiated protocol; `None` without ALPN.
    pub alpn: Option<String>,
    /// The destination the table chose.
    pub dest: Option<String>,
    /// The front's end of the connection to the destination, by which the candidate knows it.
    pub outgoing: Option<SocketAddr>,
    /// The PROXY header sent to the destination; empty for none.
    pub header: Vec<u8>,
    /// When it was accepted.
    pub opened_at: Moment,
    /// When the destination had been dialled.
    pub dialled_at: Option<Moment>,
    /// When it ended.
    pub closed: Option<Moment>,
    /// How it ended; set together with `closed`.
    pub ending: Option<Ending>,
}

/// How a connection ended, with the side that ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client did not open with the PROXY header that is required here; reset.
    ProxyHeader {
        /// What was wrong with it.
        reason: String,
    },
    /// The client spoke something else than TLS; closed without a byte.
    NotTls,
    /// The TLS handshake failed.
    Handshake {
        /// Why.
        reason: String,
    },
    /// The client ended its side, or let the time pass, without a byte of its own.
    Silent,
    /// The client is a user of the tunnel itself, which the front does not have.
    TunnelUser,
    /// No entry of the table fits.
    Unroutable,
    /// The destination could not be dialled.
    Undialable {
        /// The last attempt's error.
        reason: String,
    },
    /// The destination ended the connection in order.
    DestinationEnded,
    /// The destination reset the connection, or could not be written to.
    DestinationBroke {
        /// The error.
        reason: String,
    },
    /// The client ended its side, and then nothing came from the destination any more.
    ClientEnded,
    /// The client reset the connection, or could not be written to.
    ClientBroke {
        /// The error.
        reason: String,
    },
    /// No byte moved either way for the idle time.
    Idle,
    /// The front was stopped.
    Stopped,
}

/// All connections of a front, the latest of them.
#[derive(Clone, Debug)]
pub(super) struct Log {
    kept: Arc<Mutex<Kept>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    connections: VecDeque<FrontConnection>,
    opened: u64,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            kept: Arc::default(),
            changed: watch::Sender::new(0),
        }
    }

    /// Notes a new connection; what is returned notes its end when dropped.
    pub(super) fn open(&self, peer: SocketAddr) -> Entry {
        let mut kept = self.lock();
        kept.opened += 1;
        let id = kept.opened;
        if kept.connections.len() == LIMIT {
            kept.connections.pop_front();
        }
        kept.connections.push_back(FrontConnection::new(id, peer));
        drop(kept);
        self.changed.send_modify(|changes| *changes += 1);
        Entry {
            log: self.clone(),
            id,
            ending: Ending::Stopped,
        }
    }

    pub(super) fn connections(&self) -> Vec<FrontConnection> {
        self.lock().connections.iter().cloned().collect()
    }

    /// What `look` makes of the connections; no other can change meanwhile.
    pub(super) fn look<T>(&self, look: impl FnOnce(&[FrontConnection]) -> T) -> T {
        look(self.lock().connections.make_contiguous())
    }

    pub(super) fn find(&self, client: SocketAddr) -> Option<FrontConnection> {
        let kept = self.lock();
        let mut latest_first = kept.connections.iter().rev();
        latest_first
            .find(|one| one.peer == client || one.claimed == Some(client))
            .cloned()
    }

    pub(super) fn forgotten(&self) -> u64 {
        let kept = self.lock();
        kept.opened - kept.connections.len() as u64
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record of an open connection.
pub(super) struct Entry {
    log: Log,
    id: u64,
    ending: Ending,
}

impl Entry {
    pub(super) fn update(&self, change: impl FnOnce(&mut FrontConnection)) {
        let mut kept = self.log.lock();
        let first = kept.connections.front().map_or(0, |oldest| oldest.id);
        let index = self
            .id
            .checked_sub(first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(connection) = index.and_then(|index| kept.connections.get_mut(index)) {
            change(connection);
        }
        drop(kept);
        self.log.changed.send_modify(|changes| *changes += 1);
    }

    /// Ends the record.
    pub(super) fn end(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let ending = self.ending.clone();
        self.update(|connection| {
            connection.closed = Some(Moment::now());
            connection.ending = Some(ending);
        });
    }
}

impl FrontConnection {
    fn new(id: u64, peer: SocketAddr) -> Self {
        Self {
            id,
            peer,
            claimed: None,
            sni: None,
            alpn: None,
            dest: None,
            outgoing: None,
            header: Vec::new(),
            opened_at: Moment::now(),
            dialled_at: None,
            closed: None,
            ending: None,
        }
    }
}

/// More connections than one run of the suite makes; about 16 MB.
const LIMIT: usize = 65_536;
