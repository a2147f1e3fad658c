//! Failures that are known and listed.

use serde::Serialize;

use crate::glob;
use crate::protocol::Protocol;

/// A pattern over scenarios that this candidate can't satisfy, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownGap {
    /// Matched against `scenario` and `scenario@protocol`; `*` is any run of characters.
    pub pattern: String,
    /// Why, as a sentence without final period.
    pub reason: String,
    /// Whether it shows in every run.
    #[serde(skip)]
    pub occurrence: Occurrence,
}

/// How often a gap shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occurrence {
    /// In every run: one that passes is stale.
    #[default]
    Always,
    /// When a race in the proxy goes wrong: one that passes proves nothing.
    Sometimes,
}

impl KnownGap {
    /// Whether a scenario asked through a protocol is covered.
    #[must_use]
    pub fn covers(&self, scenario: &str, protocol: Protocol) -> bool {
        glob::matches(&self.pattern, scenario)
            || glob::matches(&self.pattern, &format!("{scenario}@{protocol}"))
    }
}
