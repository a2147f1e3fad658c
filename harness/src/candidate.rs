//! The proxy under test: what starts it, what it can do, what is known about it.

pub(crate) mod address;
mod binary;
mod configuration;
mod feature;
mod gallery;
mod hint;
mod known_gap;
mod launch;
mod manifest;
mod own;
mod process;
mod program;
mod readiness;
mod template;
mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::binary::Installation;
pub use self::configuration::Configuration;
pub use self::feature::{Feature, UnknownFeature};
pub use self::gallery::Gallery;
pub use self::hint::{Hint, Remedy};
pub use self::known_gap::{KnownGap, Occurrence};
pub use self::launch::{
    Insertion, Launch, LaunchFile, LaunchKind, Readiness, Role, Signal, Signals, Stages,
    VersionCommand,
};
pub use self::own::{Maps, OwnConfiguration, address};
pub use self::process::Ending;
pub(crate) use self::process::Process;
pub(crate) use self::program::Program;
pub(crate) use self::readiness::Door;
pub(crate) use self::words::Words;
use crate::error::HarnessError;

/// A proxy and everything the harness must know to stage it; made from a manifest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// The name that `run` takes and reports show.
    pub name: String,
    /// One sentence about it.
    pub about: String,
    /// What its version command printed, once somebody asked: [`Candidate::installed`].
    pub version: Option<String>,
    /// How it is started, told things, and stopped.
    pub launch: Launch,
    /// What it can do; a scenario that needs more is skipped.
    pub features: BTreeSet<Feature>,
    /// Failures that are listed with a reason; one that passes is an error.
    pub known: Vec<KnownGap>,
    /// What to change, by finding.
    pub hints: Vec<Hint>,
    /// What to do when it refuses to start.
    pub remedies: Vec<Remedy>,
    /// Names of defects to switch on; only the embedded reference has any.
    pub defects: Vec<String>,
}

impl Candidate {
    /// Takes a member of the gallery by name, or a folder with a `candidate.toml` by path.
    ///
    /// # Errors
    /// [`HarnessError::UnknownCandidate`] for neither, [`HarnessError::Document`] for a manifest that is wrong.
    pub fn named(name: &str) -> Result<Self, HarnessError> {
        Gallery::embedded().candidate(name)
    }

    /// Switches defects of the embedded reference on.
    #[must_use]
    pub fn with_defects<Name: Into<String>>(
        mut self,
        defects: impl IntoIterator<Item = Name>,
    ) -> Self {
        self.defects = defects.into_iter().map(Into::into).collect();
        self
    }

    /// Starts another executable than the one the manifest names, or than this process's own.
    #[must_use]
    pub fn with_binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.launch.binary = binary.into();
        self
    }

    /// Whether it can do all of `needed`; the missing ones otherwise.
    pub fn lacks(&self, needed: &[Feature]) -> Vec<Feature> {
        let has = |feature: &&Feature| !self.features.contains(*feature);
        needed.iter().filter(has).copied().collect()
    }

    /// What the manifest knows to do about a candidate's last words.
    #[must_use]
    pub fn remedy(&self, words: &[String]) -> Option<&Remedy> {
        let known = |remedy: &&Remedy| words.iter().any(|line| line.contains(&remedy.says));
        self.remedies.iter().find(known)
    }

    /// The first hint whose pattern matches a finding's code.
    #[must_use]
    pub fn hint(&self, finding: &str) -> Option<&Hint> {
        self.hints.iter().find(|hint| hint.answers(finding))
    }

    /// The known gap that covers a scenario asked through a protocol.
    #[must_use]
    pub fn known_gap(&self, scenario: &str, protocol: crate::Protocol) -> Option<&KnownGap> {
        self.known.iter().find(|gap| gap.covers(scenario, protocol))
    }

    /// The files of its configuration by name, as the user wrote them.
    #[must_use]
    pub fn files(&self) -> &[Arc<LaunchFile>] {
        &self.launch.files
    }
}
