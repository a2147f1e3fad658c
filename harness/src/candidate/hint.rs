//! What to change in a candidate's configuration, by finding.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LaunchFile, ListenerKind};
use crate::deployment::Deployment;
use crate::glob;

/// The answer of one candidate to findings of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// A pattern over finding codes, or several: `identity.forwarded_for_*`.
    pub finding: Patterns,
    /// The first words of the directive to change, as in `proxy_set_header X-Forwarded-For`;
    /// located in the user's file. Empty when something is to be added.
    #[serde(default)]
    pub at: String,
    /// The same of a user's own file, where something else is to be changed in it than in the gallery's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directive: String,
    /// What a site's listeners must have for it to be advice; for every site without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<ListenerKind>,
    /// The directive as it should be.
    pub change: String,
    /// Why, as a sentence without final period.
    pub because: String,
    /// The same of a user's own file where the directive is not set at all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unset: String,
}

/// Patterns over finding codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Patterns {
    /// One of them.
    One(String),
    /// Several, of which one is enough.
    Several(Vec<String>),
}

impl Patterns {
    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Several(patterns) => patterns,
        }
    }
}

/// The answer of one candidate to its own refusal to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// A part of what it says then.
    pub says: String,
    /// The first words of the directive that it is about, located in the user's file.
    #[serde(default)]
    pub at: String,
    /// What to do.
    pub change: String,
}

impl Hint {
    /// Whether it is about this finding.
    #[must_use]
    pub fn answers(&self, finding: &str) -> bool {
        let mut patterns = self.finding.all().iter();
        patterns.any(|pattern| glob::matches(pattern, finding))
    }

    /// Whether it is advice for this site.
    #[must_use]
    pub fn is_for(&self, deployment: &Deployment) -> bool {
        self.listener.is_none_or(|kind| kind.is_of(deployment))
    }

    /// The first words of the directive to change in a user's own file.
    pub(super) fn directive(&self) -> &str {
        match self.directive.as_str() {
            "" => &self.at,
            directive => directive,
        }
    }

    /// Whether the directive it is about says already what it should be changed to.
    pub(crate) fn is_followed(&self, files: &[Arc<LaunchFile>]) -> bool {
        let place = files.iter().find_map(|file| file.place_of(&self.at));
        place.is_some_and(|place| place.source.trim_start().starts_with(&self.change))
    }
}
