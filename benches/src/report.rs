//! What came of a contest, as JSON and as a table.

mod comparison;
mod csv;
mod growth;
mod html;
mod interval_log;
mod measured;
mod table;
mod validity;

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use self::comparison::{Comparison, Incomparable};
pub use self::interval_log::{Merged, Unmergeable};
pub(crate) use self::measured::Took;
pub use self::measured::{Measured, Percentiles, Round};
pub use self::validity::{Validity, Worth};
pub use crate::histogram::NoHistogram;
use crate::machine::Machine;
use crate::profile::Profile;

/// The schema of the JSON; another is refused.
pub const SCHEMA: &str = "proxyproof-bench/1";

/// Cargo's profile to measure with.
pub const MEASURING: &str = "release-lto";

/// What came of a contest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of proxyproof.
    pub proxyproof: String,
    /// Cargo's profile that it was built with: mocks and client cost less in [`MEASURING`] than in `release`.
    #[serde(default = "unknown")]
    pub build: String,
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

/// Reports did not always say how they were built.
fn unknown() -> String {
    "unknown".to_owned()
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
            build: env!("PROXYPROOF_BUILD_PROFILE").to_owned(),
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

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contest::DIRECT;
    use crate::load::{Errors, Samples};

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
