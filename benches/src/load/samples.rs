//! What one run has measured.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::session::SeenEvents;

/// Latencies in nanoseconds, and everything that gave none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Samples {
    /// From the moment a request was to be sent until its answer was whole: what a user would have waited.
    #[serde(with = "crate::histogram")]
    pub from_intended: Histogram<u64>,
    /// From the moment it was sent.
    #[serde(with = "crate::histogram")]
    pub from_send: Histogram<u64>,
    /// How late requests were sent though a connection was free: what the client itself is to blame for.
    #[serde(with = "crate::histogram")]
    pub lag: Histogram<u64>,
    /// From an event's write at the upstream to its read; empty but for streams.
    #[serde(with = "crate::histogram")]
    pub event_delay: Histogram<u64>,
    /// From the moment a stream was to be asked for to the read of its first event.
    #[serde(with = "crate::histogram")]
    pub first_event: Histogram<u64>,
    /// Events that came in one read with the one before them.
    pub together: u64,
    /// Of the last stream, for each event: its write, from the first's on, and the delay until its read.
    pub timeline: Vec<[u64; 2]>,
    /// What gave no latency.
    pub errors: Errors,
    /// Connections opened during the run.
    pub connects: u64,
    /// Bytes read.
    pub bytes: u64,
    /// From the beginning until the last answer.
    pub took: Duration,
}

/// Exchanges that gave no latency, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// A connection could not be opened.
    pub connect: u64,
    /// Of those: because every local port was taken (`EADDRNOTAVAIL`).
    pub ports: u64,
    /// A connection ended, or was no HTTP, before the answer was whole.
    pub broken: u64,
    /// Another status or body than expected.
    pub wrong: u64,
    /// Not answered, or never sent, when the run was given up.
    pub unfinished: u64,
}

impl Errors {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.connect + self.broken + self.wrong + self.unfinished
    }

    fn add(&mut self, other: &Self) {
        self.connect += other.connect;
        self.ports += other.ports;
        self.broken += other.broken;
        self.wrong += other.wrong;
        self.unfinished += other.unfinished;
    }
}

impl Default for Samples {
    fn default() -> Self {
        let histogram =
            || Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are constants");
        Self {
            from_intended: histogram(),
            from_send: histogram(),
            lag: histogram(),
            event_delay: histogram(),
            first_event: histogram(),
            together: 0,
            timeline: Vec::new(),
            errors: Errors::default(),
            connects: 0,
            bytes: 0,
            took: Duration::ZERO,
        }
    }
}

impl Samples {
    /// So many connections were held for that long, and nothing was asked.
    pub(crate) fn held(connections: usize, took: Duration) -> Self {
        let mut samples = Self::default();
        for _ in 0..connections {
            samples.from_send.saturating_record(1);
        }
        samples.took = took;
        samples
    }

    /// How many right answers there were.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.from_send.len()
    }

    /// Right answers a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.completed() as f64 / self.took.as_secs_f64()
    }

    pub(super) fn record(&mut self, intended: u64, sent: u64, lag: u64, answered: u64) {
        self.from_intended
            .saturating_record(answered.saturating_sub(intended));
        self.from_send
            .saturating_record(answered.saturating_sub(sent));
        self.lag.saturating_record(lag);
    }

    /// A stream's events were read.
    pub(crate) fn saw(&mut self, events: &SeenEvents) {
        if let Some(first) = events.at.first() {
            self.first_event
                .saturating_record(first.saturating_sub(events.intended));
        }
        let together = events.at.windows(2).filter(|two| two[0] == two[1]);
        self.together += together.count() as u64;
    }

    /// When the events of a stream were read and written.
    pub(crate) fn delayed(&mut self, read: &[u64], written: &[u64]) {
        let first = written.first().copied().unwrap_or(0);
        let both = read.iter().zip(written);
        let timeline = both.map(|(read, written)| {
            let delay = read.saturating_sub(*written);
            self.event_delay.saturating_record(delay);
            [written - first, delay]
        });
        self.timeline = timeline.collect();
    }

    /// Adds another run's, sample for sample.
    pub fn add(&mut self, other: &Self) {
        for (mine, others) in [
            (&mut self.from_intended, &other.from_intended),
            (&mut self.from_send, &other.from_send),
            (&mut self.lag, &other.lag),
            (&mut self.event_delay, &other.event_delay),
            (&mut self.first_event, &other.first_event),
        ] {
            mine.add(others)
                .expect("all histograms have the same bounds");
        }
        self.together += other.together;
        if !other.timeline.is_empty() {
            self.timeline.clone_from(&other.timeline);
        }
        self.errors.add(&other.errors);
        self.connects += other.connects;
        self.bytes += other.bytes;
        self.took += other.took;
    }
}

/// The value at a quantile, if enough samples lie beyond it to carry it: ten.
#[must_use]
pub fn carried(histogram: &Histogram<u64>, quantile: f64) -> Option<u64> {
    let beyond = histogram.len() as f64 * (1.0 - quantile);
    (beyond >= 10.0 - 1e-6).then(|| histogram.value_at_quantile(quantile))
}

/// An hour: nobody waits longer.
pub(crate) const LONGEST: u64 = 3_600_000_000_000;
const DIGITS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_histograms_are_the_histogram_of_all() {
        let (mut first, mut second, mut all) =
            (Samples::default(), Samples::default(), Samples::default());
        for number in 1..10_000_u64 {
            let part = if number % 3 == 0 {
                &mut first
            } else {
                &mut second
            };
            part.record(0, number, number / 2, number * 977);
            all.record(0, number, number / 2, number * 977);
        }
        first.add(&second);
        assert_eq!(first.from_intended, all.from_intended);
        assert_eq!(first.from_send, all.from_send);
        assert_eq!(first.lag, all.lag);
    }

    #[test]
    fn events_that_came_together_are_counted() {
        let mut samples = Samples::default();
        let at = vec![1_000, 5_000, 5_000, 5_000, 9_000];
        samples.delayed(&at, &[900, 2_000, 3_000, 4_000, 8_000]);
        samples.saw(&SeenEvents {
            probe: proxyproof_mocks::ProbeId::fresh(),
            intended: 400,
            at,
        });
        assert_eq!((samples.together, samples.first_event.max()), (2, 600));
        assert_eq!(samples.timeline[1], [1_100, 3_000]);
        assert_eq!(samples.event_delay.len(), 5);
    }

    #[test]
    fn a_percentile_needs_samples_beyond_it() {
        let mut samples = Samples::default();
        for number in 1..=999 {
            samples.record(0, 0, 0, number * 1000);
        }
        assert!(carried(&samples.from_send, 0.99).is_none());
        samples.record(0, 0, 0, 1_000_000);
        assert!(carried(&samples.from_send, 0.99).is_some());
        assert!(carried(&samples.from_send, 0.999).is_none());
    }
}
