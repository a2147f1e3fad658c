//! All arrivals of a stage, found by probe id.

mod answer_record;
mod arrival;
mod body_record;
mod live;
mod raw_head;
mod shard;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use answer_record::AnswerRecord;
pub use arrival::{
    Arrival, ConnectionId, ConnectionRecord, Field, Framing, How, PeerGone, WRITES_KEPT,
    WriteRecord,
};
pub use body_record::{BodyRecord, PREFIX_KEPT, READS_KEPT, digest_of, extend_digest};
pub use raw_head::RawHead;

pub(crate) use live::{LiveArrival, LiveConnection, NewArrival};

use tokio::sync::mpsc;

use crate::probe_id::ProbeId;
use shard::Shard;

/// All arrivals of a stage; clones share them.
///
/// Arrivals are spread over shards by probe id, so that no lock is around every request. What is kept is bounded: by
/// the number of arrivals, by [`BYTES_KEPT`] and by [`CONNECTIONS_KEPT`]; the oldest are forgotten first.
#[derive(Clone, Debug)]
pub struct Ledger {
    books: Arc<Books>,
}

#[derive(Debug)]
struct Books {
    shards: Box<[Arc<Shard>]>,
    connections: Mutex<VecDeque<Arc<LiveConnection>>>,
    next_connection: AtomicU64,
}

impl Ledger {
    /// A ledger that keeps [`ARRIVALS_KEPT`] arrivals.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(ARRIVALS_KEPT)
    }

    /// A ledger that keeps about this many arrivals that carry a probe id (each of 64 shards its part of them).
    #[must_use]
    pub fn with_limit(arrivals: usize) -> Self {
        let shard = || {
            Arc::new(Shard::new(
                arrivals.div_ceil(SHARDS).max(1),
                BYTES_KEPT / SHARDS,
            ))
        };
        Self {
            books: Arc::new(Books {
                shards: (0..SHARDS).map(|_| shard()).collect(),
                connections: Mutex::new(VecDeque::new()),
                next_connection: AtomicU64::new(1),
            }),
        }
    }

    /// Every arrival of this probe, in the order their heads were complete.
    #[must_use]
    pub fn arrivals(&self, probe: ProbeId) -> Vec<Arrival> {
        self.shard(probe.number()).arrivals(probe)
    }

    /// The first arrival of this probe, once its head is complete; `None` if there is none `within` that time.
    pub async fn arrival(&self, probe: ProbeId, within: Duration) -> Option<Arrival> {
        self.until(probe, within, |arrivals| arrivals.first().cloned())
            .await
    }

    /// Looks at the arrivals of this probe now and after every progress of one of them, until `look` finds what it
    /// looks for, but no longer than `within`.
    pub async fn until<T>(
        &self,
        probe: ProbeId,
        within: Duration,
        mut look: impl FnMut(&[Arrival]) -> Option<T>,
    ) -> Option<T> {
        let shard = self.shard(probe.number());
        let waiting = shard.watch();
        let found = async {
            loop {
                let progress = waiting.progress();
                tokio::pin!(progress);
                progress.as_mut().enable();
                if let Some(found) = look(&shard.arrivals(probe)) {
                    return found;
                }
                progress.await;
            }
        };
        tokio::time::timeout(within, found).await.ok()
    }

    /// The latest arrivals without a well-formed probe id (at most [`UNTAGGED_KEPT`]), in the order of their heads.
    #[must_use]
    pub fn untagged(&self) -> Vec<Arrival> {
        let mut arrivals: Vec<Arrival> = self
            .books
            .shards
            .iter()
            .flat_map(|shard| shard.untagged())
            .collect();
        arrivals.sort_by_key(|arrival| arrival.head_at);
        arrivals
    }

    /// The latest connections of the upstream of this name, in the order they were accepted.
    #[must_use]
    pub fn connections(&self, upstream: &str) -> Vec<ConnectionRecord> {
        let connections = self
            .books
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections
            .iter()
            .filter(|connection| &*connection.upstream == upstream)
            .map(|connection| connection.record())
            .collect()
    }

    /// How many connections all upstreams together have accepted.
    #[must_use]
    pub fn connections_accepted(&self) -> u64 {
        self.books.next_connection.load(Ordering::Relaxed) - 1
    }

    /// Every arrival from now on, told when its head is complete and again when the upstream is through with it
    /// ([`Arrival::finished`]); with more than [`TOLD`] of them not taken yet, others are not told. Only the first follower of a ledger is told anything.
    #[must_use]
    pub fn follow(&self) -> mpsc::Receiver<Arrival> {
        let (sender, receiver) = mpsc::channel(TOLD);
        for shard in &self.books.shards {
            shard.follow(sender.clone());
        }
        receiver
    }

    /// How many requests were seen in all, with and without a probe id.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.books.shards.iter().map(|shard| shard.seen()).sum()
    }

    /// How many arrivals with a probe id were forgotten for want of room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.books
            .shards
            .iter()
            .map(|shard| shard.forgotten())
            .sum()
    }

    pub(crate) fn open_connection(
        &self,
        upstream: Arc<str>,
        peer: std::net::SocketAddr,
    ) -> Arc<LiveConnection> {
        let id = ConnectionId(self.books.next_connection.fetch_add(1, Ordering::Relaxed));
        let connection = Arc::new(LiveConnection::new(id, upstream, peer));
        let mut connections = self
            .books
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if connections.len() == CONNECTIONS_KEPT {
            connections.pop_front();
        }
        connections.push_back(Arc::clone(&connection));
        connection
    }

    pub(crate) fn open_arrival(&self, new: NewArrival) -> Arc<LiveArrival> {
        let key = new.probe.map_or(new.connection.id.0, ProbeId::number);
        let shard = self.shard(key);
        let arrival = Arc::new(LiveArrival::new(new, Arc::clone(shard)));
        shard.add(Arc::clone(&arrival));
        shard.tell(&arrival);
        arrival
    }

    fn shard(&self, key: u64) -> &Arc<Shard> {
        let index = usize::try_from(key % SHARDS as u64).expect("below the number of shards");
        &self.books.shards[index]
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

/// How many arrivals with a probe id a ledger keeps unless told otherwise.
pub const ARRIVALS_KEPT: usize = 200_000;

/// How many arrivals without a probe id a ledger keeps.
pub const UNTAGGED_KEPT: usize = SHARDS * shard::UNTAGGED_KEPT;

/// How many bytes of heads and bodies a ledger keeps, roughly.
pub const BYTES_KEPT: usize = 256 << 20;

/// How many arrivals wait for a follower.
pub const TOLD: usize = 4096;

/// How many connections a ledger keeps.
pub const CONNECTIONS_KEPT: usize = 65_536;

/// Enough that two busy connections rarely meet in one.
const SHARDS: usize = 64;
