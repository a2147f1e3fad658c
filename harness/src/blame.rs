//! Whose fault a mismatch is, worked out from what both ends saw.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who has to change something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The proxy under test.
    #[default]
    Candidate,
    /// The tunnel server in front of it.
    Front,
    /// A mock backend did not do what its script says.
    Upstream,
    /// The harness lost evidence or could not ask.
    Harness,
}

impl Blame {
    /// The word used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Front => "front",
            Self::Upstream => "upstream",
            Self::Harness => "harness",
        }
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
