//! One load on one contender.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::histogram::encoded;
use crate::load::{Errors, Samples, carried};
use crate::profile::Measure;

/// One load on one contender, over all rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The measure's name.
    pub name: String,
    /// Requests a second that were intended; closed without.
    pub rate: Option<f64>,
    /// One after the other.
    pub rounds: Vec<Round>,
    /// What gave no latency.
    pub errors: Errors,
    /// Over all rounds, in nanoseconds.
    pub latency: Percentiles,
    /// How late the client was, in nanoseconds.
    pub lag: Percentiles,
    /// From an event's write at the upstream to its read at the client, in nanoseconds.
    pub event_delay: Option<Percentiles>,
    /// From the moment a stream was to be asked for to the read of its first event, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_event: Option<Percentiles>,
    /// How many events came in one read with the one before them, which the upstream had written apart.
    #[serde(default)]
    pub together: u64,
    /// All delays of events, like `histogram`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_histogram: Option<String>,
    /// Of the last stream, for each event: when it was written after the first, and the delay until it was read, in nanoseconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<[u64; 2]>,
    /// Of uploads: whether the proxy passed them on as they came, in place of keeping them until they were whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_on: Option<bool>,
    /// All latencies from the intended moment: base64 of an HdrHistogram, V2, deflated.
    pub histogram: String,
    #[serde(skip)]
    samples: Samples,
}

/// What one turn measured; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Right answers.
    pub completed: u64,
    /// Right answers a second.
    pub rate: f64,
    /// The least latency.
    pub min: u64,
    /// The median latency from the intended moment.
    pub p50: u64,
    /// CPU a request.
    pub cpu_client: f64,
    /// CPU a request.
    pub cpu_proxy: f64,
    /// CPU a request.
    pub cpu_upstream: f64,
    /// Connections that the client opened for 1 000 requests, those of the beginning apart.
    pub client_connections: f64,
    /// Connections that the upstream accepted for 1 000 requests.
    pub upstream_connections: f64,
    /// The median delay of an event.
    pub event_delay: Option<u64>,
    /// The median time to the first event.
    #[serde(default)]
    pub first_event: Option<u64>,
    /// The share of the time that the client was on a core, 0 to 1.
    #[serde(default)]
    pub busy_client: f64,
    /// The share of the time that the proxy was on a core; above 1 on several.
    #[serde(default)]
    pub busy_proxy: f64,
    /// The share of the time that the upstreams were on a core.
    #[serde(default)]
    pub busy_upstream: f64,
    /// By how much the proxy's resident memory grew for each connection, in bytes.
    #[serde(default)]
    pub memory_each: f64,
}

/// A histogram in a few numbers; those that too few samples carry are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// How many samples.
    pub count: u64,
    /// The least.
    pub min: u64,
    /// The median.
    pub p50: Option<u64>,
    /// The 90th percentile.
    pub p90: Option<u64>,
    /// The 99th percentile.
    pub p99: Option<u64>,
    /// The 99.9th percentile.
    pub p999: Option<u64>,
    /// The greatest.
    pub max: u64,
}

impl Percentiles {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            min: if histogram.is_empty() {
                0
            } else {
                histogram.min()
            },
            p50: carried(histogram, 0.5),
            p90: carried(histogram, 0.9),
            p99: carried(histogram, 0.99),
            p999: carried(histogram, 0.999),
            max: histogram.max(),
        }
    }
}

/// What a turn took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Took {
    /// CPU of client, proxy and upstream, in nanoseconds.
    pub(crate) cpu: [u64; 3],
    /// Connections that the upstream accepted.
    pub(crate) connects: u64,
    /// On the clock.
    pub(crate) wall: Duration,
    /// Bytes of resident memory a connection.
    pub(crate) memory_each: f64,
}

impl Round {
    /// Of what was asked, and what it took: CPU of client, proxy and upstream in nanoseconds, connections at the upstream,
    /// the time on the clock, and the growth of the proxy's memory a connection.
    pub(crate) fn of(samples: &Samples, took: &Took) -> Self {
        let completed = samples.completed().max(1) as f64;
        let [client, proxy, upstream] = took.cpu.map(|nanos| nanos as f64 / completed);
        let wall = took.wall.as_nanos().max(1) as f64;
        let [busy_client, busy_proxy, busy_upstream] = took.cpu.map(|nanos| nanos as f64 / wall);
        let median = |histogram: &Histogram<u64>| {
            (!histogram.is_empty()).then(|| histogram.value_at_quantile(0.5))
        };
        Self {
            completed: samples.completed(),
            rate: samples.rate(),
            min: samples.from_intended.min(),
            p50: samples.from_intended.value_at_quantile(0.5),
            cpu_client: client,
            cpu_proxy: proxy,
            cpu_upstream: upstream,
            client_connections: samples.connects as f64 * 1000.0 / completed,
            upstream_connections: took.connects as f64 * 1000.0 / completed,
            busy_client,
            busy_proxy,
            busy_upstream,
            memory_each: took.memory_each,
            event_delay: median(&samples.event_delay),
            first_event: median(&samples.first_event),
        }
    }
}

impl Measured {
    pub(crate) fn of(measure: &Measure) -> Self {
        Self {
            name: measure.name.clone(),
            rate: measure.rate,
            rounds: Vec::new(),
            errors: Errors::default(),
            latency: Percentiles::default(),
            lag: Percentiles::default(),
            event_delay: None,
            first_event: None,
            together: 0,
            event_histogram: None,
            timeline: Vec::new(),
            passed_on: None,
            histogram: String::new(),
            samples: Samples::default(),
        }
    }

    pub(crate) fn add(&mut self, (round, samples): (Round, Samples)) {
        self.rounds.push(round);
        self.samples.add(&samples);
    }

    pub(super) fn summed_up(mut self) -> Self {
        let samples = &self.samples;
        self.errors = samples.errors;
        self.latency = Percentiles::of(&samples.from_intended);
        self.lag = Percentiles::of(&samples.lag);
        let of = |histogram: &Histogram<u64>| {
            (!histogram.is_empty()).then(|| Percentiles::of(histogram))
        };
        self.event_delay = of(&samples.event_delay);
        self.first_event = of(&samples.first_event);
        self.together = samples.together;
        self.timeline.clone_from(&samples.timeline);
        self.histogram = encoded(&samples.from_intended);
        self.event_histogram = self.event_delay.map(|_| encoded(&samples.event_delay));
        self
    }

    /// The share of events that came with the one before them, 0 to 1.
    pub(crate) fn share_together(&self) -> f64 {
        let events = self.event_delay.map_or(0, |delay| delay.count);
        self.together as f64 / events.max(1) as f64
    }

    /// What became of uploads on their way, where that is known.
    pub(crate) fn uploads(&self) -> Option<&'static str> {
        self.passed_on.map(|passed_on| match passed_on {
            true => "passed on",
            false => "buffered",
        })
    }

    /// One figure of every round.
    pub(crate) fn series(&self, figure: impl Fn(&Round) -> f64) -> Vec<f64> {
        self.rounds.iter().map(figure).collect()
    }
}
