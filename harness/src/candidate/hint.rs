//! What to change in a candidate's configuration, by finding.

use serde::{Deserialize, Serialize};

use crate::glob;

/// The answer of one candidate to findings of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// A pattern over finding codes: `identity.forwarded_for_*`.
    pub finding: String,
    /// The first words of the directive to change, as in `proxy_set_header X-Forwarded-For`;
    /// located in the user's file. Empty when something is to be added.
    #[serde(default)]
    pub at: String,
    /// The directive as it should be.
    pub change: String,
    /// Why, as a sentence without final period.
    pub because: String,
}

impl Hint {
    /// Whether it is about this finding.
    #[must_use]
    pub fn answers(&self, finding: &str) -> bool {
        glob::matches(&self.finding, finding)
    }
}
