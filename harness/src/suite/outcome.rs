//! The results as data: what every report is made from, and the shape of the JSON report.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{finding::Finding, level::Level, verdict::Verdict};

/// The version of the JSON report's shape; raised when a reader would have to change.
pub const SCHEMA: u32 = 1;

/// Everything that a run found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteResult {
    /// The version of this shape.
    pub schema: u32,
    /// Who asked.
    pub tool: Tool,
    /// Who was asked.
    pub candidate: CandidateName,
    /// The name of the deployment that the questions follow from.
    pub deployment: String,
    /// What was concluded about the site from the user's own file, and from which line; none where a deployment says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub site: Vec<String>,
    /// The command that made this result, without its filters: with `-f` and an id behind it, it asks again.
    #[serde(default)]
    pub command: String,
    /// Counts of what follows.
    pub summary: Summary,
    /// Wall-clock time of the whole run in milliseconds, starting and stopping stages included.
    pub duration_ms: u64,
    /// How many times each scenario ran.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rounds: u32,
    /// The run was stopped by a signal: what had not finished is `skipped`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub interrupted: bool,
    /// One entry for each scenario and protocol, in report order.
    pub scenarios: Vec<Outcome>,
    /// Entries of the candidate's list of known gaps that cover nothing that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_gaps: Vec<StaleGap>,
}

/// The program that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `proxyproof`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub(crate) fn this() -> Self {
        Self {
            name: "proxyproof".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The proxy that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateName {
    /// Its name in the gallery, or in its manifest.
    pub name: String,
    /// What the proxy says its version is; empty when it does not say.
    pub version: String,
    /// How it was started, such as `process`.
    pub launch: String,
}

/// What became of one scenario on one protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// `topic/claim`.
    pub id: String,
    /// The claim, in one sentence.
    pub claim: String,
    /// How much it matters.
    pub level: Level,
    /// `h1`, `h2`, `chain-h1` or `chain-h2`.
    pub protocol: String,
    /// What became of it; the worst when it ran more than once.
    pub verdict: Verdict,
    /// Why it was skipped, which gap is known, or what the harness could not do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds from its first probe to its verdict; the longest when it ran more than once.
    pub duration_ms: u64,
    /// The mismatches, those of the worst run when there were several.
    pub findings: Vec<Finding>,
    /// What an observing scenario recorded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub records: BTreeMap<String, String>,
    /// How often each verdict was reached, when runs of this scenario disagreed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unstable: BTreeMap<Verdict, u32>,
}

/// A known gap that is none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaleGap {
    /// The entry's scenarios and finding, as in the manifest.
    pub pattern: String,
    /// The entry's reason.
    pub reason: String,
}

/// How many entries have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Entries that passed.
    pub pass: usize,
    /// Entries that failed, whatever their level.
    pub fail: usize,
    /// Entries that failed as the candidate's manifest says.
    pub known: usize,
    /// Entries that were not asked.
    pub skipped: usize,
    /// Entries that could not be asked.
    pub broken: usize,
    /// Those of `fail` that are required.
    pub required_failed: usize,
    /// Those of `fail` that are recommended.
    pub recommended_failed: usize,
    /// Entries that did not reach the same verdict every time.
    #[serde(default)]
    pub unstable: usize,
}

impl Outcome {
    /// The part of the id before the slash.
    pub fn topic(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// The time it took.
    pub const fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }
}

impl Summary {
    /// Nothing was asked: what there was to ask is not for this candidate or this site.
    #[must_use]
    pub const fn asked_nothing(&self) -> bool {
        self.pass + self.fail + self.known + self.broken == 0
    }

    /// Counts `outcomes`.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let count = |verdict| {
            outcomes
                .iter()
                .filter(|outcome| outcome.verdict == verdict)
                .count()
        };
        let failed = |level| {
            outcomes
                .iter()
                .filter(|o| o.verdict == Verdict::Fail && o.level == level)
                .count()
        };
        Self {
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            known: count(Verdict::Known),
            skipped: count(Verdict::Skipped),
            broken: count(Verdict::Broken),
            required_failed: failed(Level::Required),
            recommended_failed: failed(Level::Recommended),
            unstable: outcomes
                .iter()
                .filter(|outcome| !outcome.unstable.is_empty())
                .count(),
        }
    }
}

impl std::ops::Add for Summary {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pass: self.pass + other.pass,
            fail: self.fail + other.fail,
            known: self.known + other.known,
            skipped: self.skipped + other.skipped,
            broken: self.broken + other.broken,
            required_failed: self.required_failed + other.required_failed,
            recommended_failed: self.recommended_failed + other.recommended_failed,
            unstable: self.unstable + other.unstable,
        }
    }
}

impl std::iter::Sum for Summary {
    fn sum<I: Iterator<Item = Self>>(summaries: I) -> Self {
        summaries.fold(Self::default(), std::ops::Add::add)
    }
}

const fn one() -> u32 {
    1
}

const fn is_one(rounds: &u32) -> bool {
    *rounds == 1
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
