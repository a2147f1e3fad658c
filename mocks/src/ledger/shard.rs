//! The arrivals of some probe ids.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc};

use super::arrival::Arrival;
use super::live::LiveArrival;
use crate::probe_id::ProbeId;

/// One part of a ledger, with a lock of its own.
#[derive(Debug)]
pub(super) struct Shard {
    entries: Mutex<Entries>,
    arrivals_kept: usize,
    bytes_kept: usize,
    bytes: AtomicUsize,
    watchers: AtomicUsize,
    progress: Notify,
    seen: AtomicU64,
    forgotten: AtomicU64,
    follower: OnceLock<mpsc::Sender<Arrival>>,
}

#[derive(Debug, Default)]
struct Entries {
    by_probe: HashMap<ProbeId, VecDeque<Arc<LiveArrival>>>,
    /// The probe of every kept arrival, oldest first.
    order: VecDeque<ProbeId>,
    untagged: VecDeque<Arc<LiveArrival>>,
}

impl Shard {
    pub(super) fn new(arrivals_kept: usize, bytes_kept: usize) -> Self {
        Self {
            entries: Mutex::default(),
            arrivals_kept,
            bytes_kept,
            bytes: AtomicUsize::new(0),
            watchers: AtomicUsize::new(0),
            progress: Notify::new(),
            seen: AtomicU64::new(0),
            forgotten: AtomicU64::new(0),
            follower: OnceLock::new(),
        }
    }

    pub(super) fn add(&self, arrival: Arc<LiveArrival>) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        self.grow(arrival.retained_at_first());
        let mut entries = self.entries();
        match arrival.probe() {
            Some(probe) => {
                entries
                    .by_probe
                    .entry(probe)
                    .or_default()
                    .push_back(arrival);
                entries.order.push_back(probe);
                self.make_room(&mut entries);
            }
            None => {
                if entries.untagged.len() == UNTAGGED_KEPT {
                    let oldest = entries.untagged.pop_front();
                    self.shrink(oldest.as_deref());
                }
                entries.untagged.push_back(arrival);
            }
        }
        drop(entries);
        self.progressed();
    }

    pub(super) fn arrivals(&self, probe: ProbeId) -> Vec<Arrival> {
        let live: Vec<_> = match self.entries().by_probe.get(&probe) {
            Some(arrivals) => arrivals.iter().map(Arc::clone).collect(),
            None => Vec::new(),
        };
        live.iter().map(|arrival| arrival.snapshot()).collect()
    }

    pub(super) fn untagged(&self) -> Vec<Arrival> {
        let live: Vec<_> = self.entries().untagged.iter().map(Arc::clone).collect();
        live.iter().map(|arrival| arrival.snapshot()).collect()
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Says that an arrival keeps this many bytes more.
    pub(super) fn grow(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Wakes whoever watches. Costs an atomic load when nobody does.
    pub(super) fn progressed(&self) {
        // A watcher counts itself before it looks, and looking takes the lock that the change was made under.
        if self.watchers.load(Ordering::SeqCst) > 0 {
            self.progress.notify_waiters();
        }
    }

    pub(super) fn watch(&self) -> Watch<'_> {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        Watch { shard: self }
    }

    /// Tells this follower of all that arrives and is finished, unless there is one.
    pub(super) fn follow(&self, follower: mpsc::Sender<Arrival>) {
        let _ = self.follower.set(follower);
    }

    pub(super) fn is_followed(&self) -> bool {
        self.follower.get().is_some()
    }

    /// Tells the follower, if there is one.
    pub(super) fn tell(&self, arrival: &LiveArrival) {
        if let Some(follower) = self.follower.get() {
            // One that is slow, or gone, misses it.
            let _ = follower.try_send(arrival.snapshot());
        }
    }

    fn make_room(&self, entries: &mut Entries) {
        while entries.order.len() > self.arrivals_kept
            || (entries.order.len() > 1 && self.bytes.load(Ordering::Relaxed) > self.bytes_kept)
        {
            let Some(oldest) = entries.order.pop_front() else {
                return;
            };
            let Some(arrivals) = entries.by_probe.get_mut(&oldest) else {
                continue;
            };
            self.shrink(arrivals.pop_front().as_deref());
            if arrivals.is_empty() {
                entries.by_probe.remove(&oldest);
            }
            self.forgotten.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn shrink(&self, forgotten: Option<&LiveArrival>) {
        if let Some(forgotten) = forgotten {
            let bytes = forgotten.forget();
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for progress; progress is made known only while there is one.
pub(super) struct Watch<'s> {
    shard: &'s Shard,
}

impl Watch<'_> {
    pub(super) fn progress(&self) -> Notified<'_> {
        self.shard.progress.notified()
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.shard.watchers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How many arrivals without a probe id each shard keeps: enough to see what came last.
pub(super) const UNTAGGED_KEPT: usize = 4;
