//! What became of one scenario on one protocol.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of one scenario on one protocol; ordered from the best to the worst.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The claim held.
    Pass,
    /// The candidate lacks a feature that it does not declare, or the run was stopped before its turn.
    Skipped,
    /// The claim was falsified, and the candidate's manifest lists that gap with a reason.
    Known,
    /// The claim was falsified.
    Fail,
    /// The harness could not ask.
    Broken,
}

impl Verdict {
    /// The word used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Known => "known",
            Self::Fail => "fail",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
