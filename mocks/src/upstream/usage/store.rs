//! What the service keeps: events, dead letters, prices. In memory; the real program keeps it in SQLite.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::Event;
use super::payload::Payload;
use super::prices::Price;
use crate::upstream::go_json::go_json;

/// The store of one service.
#[derive(Debug, Default)]
pub(super) struct Store(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By time, then in the order they were inserted.
    events: BTreeMap<(i64, u64), Event>,
    hashes: HashSet<String>,
    inserted: u64,
    dead_letters: u64,
    prices: BTreeMap<String, Price>,
}

/// What became of events that were to be inserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inserted {
    /// How many were new.
    pub(super) added: u64,
    /// How many were there already.
    pub(super) skipped: u64,
}

impl Store {
    /// Inserts events that are not there yet.
    pub(super) fn insert(&self, events: Vec<Event>) -> Inserted {
        let mut kept = self.lock();
        let mut inserted = Inserted::default();
        for event in events {
            if !kept.hashes.insert(event.event_hash.clone()) {
                inserted.skipped += 1;
                continue;
            }
            inserted.added += 1;
            kept.inserted += 1;
            let key = (event.timestamp_ms, kept.inserted);
            kept.events.insert(key, event);
            if kept.events.len() > EVENT_LIMIT
                && let Some((_, oldest)) = kept.events.pop_first()
            {
                kept.hashes.remove(&oldest.event_hash);
            }
        }
        inserted
    }

    /// Notes a record that could not be read.
    pub(super) fn add_dead_letter(&self) {
        self.lock().dead_letters += 1;
    }

    /// How many events and dead letters there are.
    pub(super) fn counts(&self) -> (usize, u64) {
        let kept = self.lock();
        (kept.events.len(), kept.dead_letters)
    }

    /// The statistics of the newest `limit` events.
    pub(super) fn payload(&self, limit: usize) -> Payload {
        Payload::of(self.lock().events.values().rev().take(limit))
    }

    /// The newest events, oldest first, one JSON object a line.
    pub(super) fn export(&self) -> String {
        let kept = self.lock();
        let older = kept.events.len().saturating_sub(EXPORT_LIMIT);
        kept.events
            .values()
            .skip(older)
            .map(|event| go_json(event) + "\n")
            .collect()
    }

    /// The prices by model.
    pub(super) fn prices(&self) -> BTreeMap<String, Price> {
        self.lock().prices.clone()
    }

    /// Replaces all prices.
    pub(super) fn replace_prices(&self, prices: BTreeMap<String, Price>) {
        self.lock().prices = prices;
    }

    /// Adds prices, in place of those of the same models.
    pub(super) fn add_prices(&self, prices: BTreeMap<String, Price>) {
        self.lock().prices.extend(prices);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The real store is bounded by its disk; past this many events the mock forgets the oldest.
const EVENT_LIMIT: usize = 200_000;
/// An export has no limit of its own; the query behind it has this one.
const EXPORT_LIMIT: usize = 50_000;
