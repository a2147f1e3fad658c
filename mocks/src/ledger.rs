//! All arrivals of a stage, found by probe id.

mod arrival;
mod body_record;
mod raw_head;

use std::time::Duration;

pub use arrival::{
    Arrival, ConnectionId, ConnectionRecord, Field, Framing, How, PeerGone, WRITES_KEPT,
    WriteRecord,
};
pub use body_record::{BodyRecord, PREFIX_KEPT, READS_KEPT, digest_of, extend_digest};
pub use raw_head::RawHead;

use crate::probe_id::ProbeId;

/// All arrivals of a stage; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Ledger;

impl Ledger {
    /// A ledger of the default size.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(200_000)
    }

    /// A ledger that keeps about this many arrivals that carry a probe id; the oldest are forgotten first.
    #[must_use]
    pub fn with_limit(arrivals: usize) -> Self {
        let _ = arrivals;
        Self
    }

    /// Every arrival of this probe, in the order their heads were complete.
    #[must_use]
    pub fn arrivals(&self, probe: ProbeId) -> Vec<Arrival> {
        let _ = probe;
        todo!()
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
        look: impl FnMut(&[Arrival]) -> Option<T>,
    ) -> Option<T> {
        let _ = (probe, within, look);
        todo!()
    }

    /// The latest connections of the upstream of this name, in the order they were accepted.
    #[must_use]
    pub fn connections(&self, upstream: &str) -> Vec<ConnectionRecord> {
        let _ = upstream;
        todo!()
    }

    /// How many requests were seen in all, with and without a probe id.
    #[must_use]
    pub fn seen(&self) -> u64 {
        todo!()
    }

    /// How many arrivals with a probe id were forgotten for want of room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        todo!()
    }
}
