//! What came of a contest, as JSON and as a table.

mod comparison;
mod csv;
mod growth;
mod html;
mod interval_log;
mod table;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

pub use self::comparison::{Comparison, Incomparable};
pub use self::interval_log::{Merged, Unmergeable};
use crate::estimate::median_of;
pub use crate::histogram::NoHistogram;
use crate::histogram::encoded;
use crate::load::{Errors, Samples, carried};
use crate::machine::Machine;
use crate::placement::Placement;
use crate::profile::{Measure, Profile};

/// The schema of the JSON; another is refused.
pub const SCHEMA: &str = "proxyproof-bench/1";

/// What came of a contest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of proxyproof.
    pub proxyproof: String,
    /// When it began, in milliseconds since 1970.
    #[serde(default)]
    pub began_unix_ms: u64,
    /// What was asked.
    pub profile: Profile,
    /// Where.
    pub machine: Machine,
    /// What the machine did besides.
    pub validity: Validity,
    /// What the figures are worth.
    pub verdict: Worth,
    /// Why, where they are not valid.
    pub reasons: Vec<String>,
    /// The direct path first, then the candidates.
    pub contenders: Vec<Contender>,
}

/// What figures are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Worth {
    /// Nothing speaks against them.
    Valid,
    /// Something may have moved them.
    Suspect,
    /// They are not shown.
    Void,
}

/// What the machine did besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// The share of all cores' time that other programs took, 0 to 1.
    pub foreign_cpu: f64,
    /// The share of time that a spinning thread lost, to the hypervisor or a neighbour, 0 to 1.
    pub lost_time: f64,
}

/// The direct path or a proxy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// Its name.
    pub name: String,
    /// What its version command printed.
    pub version: Option<String>,
    /// The peak of its resident memory, in bytes; 0 for the direct path.
    pub peak_memory: u64,
    /// One for each of the profile's.
    pub measures: Vec<Measured>,
}

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
    fn of(histogram: &Histogram<u64>) -> Self {
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

    fn summed_up(mut self) -> Self {
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

    /// What speaks against it.
    fn doubt(&self, contender: &str, placement: Placement, doubts: &mut Vec<(Worth, String)>) {
        let asked = self.latency.count + self.errors.total();
        let here = format!("{contender}, {}", self.name);
        if self.errors.ports > 0 {
            doubts.push((
                Worth::Void,
                format!("{here}: no local ports left (EADDRNOTAVAIL)"),
            ));
        } else if self.errors.total() * 1000 > asked {
            let (errors, first) = (self.errors.total(), self.errors);
            doubts.push((Worth::Void, format!(
                "{here}: {errors} of {asked} requests failed ({} broken, {} wrong, {} not connected, {} unfinished)",
                first.broken, first.wrong, first.connect, first.unfinished
            )));
        }
        if let Some(limit) = self.own_limit(placement) {
            doubts.push((Worth::Void, format!("{here}: {limit}")));
        }
        let (Some(_), Some(lag), Some(p50)) = (self.rate, self.lag.p99, self.latency.p50) else {
            return;
        };
        if lag > LAG.max(p50 / 10) {
            doubts.push((
                Worth::Suspect,
                format!("{here}: the client itself was late, p99 {} us", lag / 1000),
            ));
        }
    }
}

impl Measured {
    /// Whether client and upstream, and not the proxy, were what could not do more.
    ///
    /// On one core for all there is nothing to tell: what it carries is divided by what each takes.
    fn own_limit(&self, placement: Placement) -> Option<String> {
        let median = |figure: fn(&Round) -> f64| median_of(self.series(figure)).unwrap_or(0.0);
        let (client, upstream) = (
            median(|round| round.busy_client),
            median(|round| round.busy_upstream),
        );
        let proxy = median(|round| round.busy_proxy);
        // Without a proxy on the way they are all there is.
        if proxy == 0.0 || proxy >= FULL {
            return None;
        }
        let (share, who) = match placement {
            Placement::Same => return None,
            Placement::Split => (client + upstream, "client and upstream filled their core"),
            Placement::Free if client >= upstream => (client, "the client filled its core"),
            Placement::Free => (upstream, "the upstream filled its core"),
        };
        (share >= FULL).then(|| {
            format!(
                "{who} ({:.0} %), and the proxy did not ({:.0} %)",
                share * 100.0,
                proxy * 100.0
            )
        })
    }
}

impl Report {
    pub(crate) fn new(
        profile: Profile,
        machine: Machine,
        contenders: Vec<Contender>,
        validity: Validity,
    ) -> Self {
        let contenders: Vec<Contender> = contenders
            .into_iter()
            .map(|contender| Contender {
                measures: contender
                    .measures
                    .into_iter()
                    .map(Measured::summed_up)
                    .collect(),
                ..contender
            })
            .collect();
        let mut doubts = validity.doubts();
        for contender in &contenders {
            for measured in &contender.measures {
                measured.doubt(&contender.name, profile.placement, &mut doubts);
            }
        }
        let verdict = doubts
            .iter()
            .map(|(worth, _)| *worth)
            .max()
            .unwrap_or(Worth::Valid);
        Self {
            schema: SCHEMA.to_owned(),
            proxyproof: env!("CARGO_PKG_VERSION").to_owned(),
            began_unix_ms: 0,
            profile,
            machine,
            validity,
            verdict,
            reasons: doubts.into_iter().map(|(_, reason)| reason).collect(),
            contenders,
        }
    }

    /// Begun at this time.
    #[must_use]
    pub fn begun(mut self, at: SystemTime) -> Self {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.began_unix_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// With one more reason for doubt, if there is one.
    #[must_use]
    pub(crate) fn doubted(mut self, reason: Option<&str>) -> Self {
        if let Some(reason) = reason {
            self.verdict = self.verdict.max(Worth::Suspect);
            self.reasons.push(reason.to_owned());
        }
        self
    }

    /// As JSON, with a line end.
    ///
    /// # Panics
    /// Never: plain values are JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("plain values are JSON");
        format!("{text}\n")
    }

    /// The table of a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        table::text(self)
    }
}

impl Validity {
    fn doubts(&self) -> Vec<(Worth, String)> {
        let judge = |share: f64, what: &str| {
            let worth = if share > VOID_SHARE {
                Worth::Void
            } else if share > SUSPECT_SHARE {
                Worth::Suspect
            } else {
                return None;
            };
            Some((worth, format!("{what} {:.0} % of the time", share * 100.0)))
        };
        let foreign = judge(self.foreign_cpu, "other programs took the cores");
        let lost = judge(self.lost_time, "the machine was elsewhere");
        foreign.into_iter().chain(lost).collect()
    }
}

/// The client's own lateness, in nanoseconds, beyond which latencies of an open model say more about it than about the proxy.
const LAG: u64 = 50_000;
/// Of a core; the rest is what waking up takes.
const FULL: f64 = 0.90;
const SUSPECT_SHARE: f64 = 0.10;
const VOID_SHARE: f64 = 0.40;

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contest::DIRECT;

    pub(crate) const QUIET: Validity = Validity {
        foreign_cpu: 0.02,
        lost_time: 0.01,
    };

    /// One measure of 1 000 answers of 100 us, late by `lag`, with these errors, on direct and a proxy.
    pub(crate) fn report(validity: Validity, lag: u64, errors: Errors) -> Report {
        let mut profile = Profile::named("quick").expect("it is embedded");
        profile.measures.drain(..2);
        let measured = |errors| {
            let mut measured = Measured::of(&profile.measures[0]);
            let mut samples = Samples::default();
            for _ in 0..1000 {
                samples.from_intended.saturating_record(100_000);
                samples.from_send.saturating_record(100_000);
                samples.lag.saturating_record(lag);
            }
            samples.errors = errors;
            samples.took = Duration::from_secs(1);
            let took = Took {
                cpu: [1_000_000; 3],
                wall: samples.took,
                ..Took::default()
            };
            measured.add((Round::of(&samples, &took), samples));
            measured
        };
        let contender = |name: &str, errors| Contender {
            name: name.to_owned(),
            version: None,
            peak_memory: 0,
            measures: vec![measured(errors)],
        };
        let contenders = vec![
            contender(DIRECT, Errors::default()),
            contender("nginx", errors),
        ];
        Report::new(profile.clone(), Machine::this(2), contenders, validity)
    }

    #[test]
    fn a_quiet_run_is_valid() {
        let report = report(QUIET, 200, Errors::default());
        assert_eq!(
            (report.verdict, report.reasons.as_slice()),
            (Worth::Valid, [].as_slice())
        );
        assert!(report.text().contains("100.0"), "{}", report.text());
    }

    #[test]
    fn a_busy_neighbour_is_told() {
        let busy = |foreign_cpu| {
            report(
                Validity {
                    foreign_cpu,
                    ..QUIET
                },
                200,
                Errors::default(),
            )
        };
        assert_eq!(busy(0.2).verdict, Worth::Suspect);
        assert_eq!(
            busy(0.2).reasons,
            ["other programs took the cores 20 % of the time"]
        );
        assert_eq!(busy(0.5).verdict, Worth::Void);
    }

    /// Shares of the time of client, proxy and upstream.
    fn own_limit(placement: Placement, busy: [f64; 3]) -> Option<String> {
        let mut measured =
            Measured::of(&Profile::named("quick").expect("it is embedded").measures[1]);
        let took = Took {
            cpu: busy.map(|share| (share * 1e9) as u64),
            wall: Duration::from_secs(1),
            ..Took::default()
        };
        let samples = Samples::default();
        measured.add((Round::of(&samples, &took), samples));
        measured.own_limit(placement)
    }

    #[test]
    fn a_saturated_mock_is_told() {
        let told = own_limit(Placement::Free, [0.4, 0.5, 0.97]);
        assert_eq!(
            told.as_deref(),
            Some("the upstream filled its core (97 %), and the proxy did not (50 %)")
        );
        let told = own_limit(Placement::Split, [0.5, 0.7, 0.45]);
        assert!(told.is_some_and(|told| told.starts_with("client and upstream filled")));
    }

    #[test]
    fn a_proxy_at_its_limit_is_what_is_measured() {
        assert_eq!(own_limit(Placement::Split, [0.6, 0.99, 0.39]), None);
        assert_eq!(own_limit(Placement::Split, [0.3, 0.5, 0.2]), None);
        // One core for all, and no proxy at all.
        assert_eq!(own_limit(Placement::Same, [0.4, 0.2, 0.4]), None);
        assert_eq!(own_limit(Placement::Split, [0.5, 0.0, 0.5]), None);
    }

    #[test]
    fn a_late_client_is_told() {
        let late = report(QUIET, 3_000_000, Errors::default());
        assert_eq!(late.verdict, Worth::Suspect);
        assert!(
            late.reasons[0].contains("the client itself was late"),
            "{:?}",
            late.reasons
        );
    }

    #[test]
    fn failed_requests_leave_no_figures() {
        let errors = Errors {
            wrong: 40,
            ..Errors::default()
        };
        let void = report(QUIET, 200, errors);
        assert_eq!(void.verdict, Worth::Void);
        let text = void.text();
        assert!(
            text.contains("nginx, 1 000 requests a second: 40 of 1040 requests failed"),
            "{text}"
        );
        assert!(!text.contains("p50"), "{text}");
    }

    #[test]
    fn ports_that_ran_out_leave_no_figures() {
        let errors = Errors {
            connect: 1,
            ports: 1,
            ..Errors::default()
        };
        assert_eq!(report(QUIET, 200, errors).verdict, Worth::Void);
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let written = report(QUIET, 200, Errors::default()).json();
        assert_eq!(
            Report::parse("old.json", &written)
                .expect("it is one")
                .json(),
            written
        );
    }
}
