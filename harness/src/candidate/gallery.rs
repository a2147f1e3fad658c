//! The candidates that come with the executable.

use super::Candidate;
use crate::error::HarnessError;

/// Manifests with their files, embedded.
#[derive(Clone, Copy, Debug)]
pub struct Gallery {
    folders: &'static [EmbeddedFolder],
}

#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "the manifest parser lands next")]
pub(crate) struct EmbeddedFolder {
    pub(crate) name: &'static str,
    pub(crate) manifest: &'static str,
    pub(crate) files: &'static [(&'static str, &'static str)],
}

impl Gallery {
    /// The gallery of this executable.
    #[must_use]
    pub const fn embedded() -> Self {
        Self { folders: &[] }
    }

    /// Every name that [`Gallery::candidate`] takes without a path, in order.
    ///
    /// # Errors
    /// None for the embedded gallery, whose manifests are read by a test.
    pub fn names(&self) -> Vec<String> {
        self.folders
            .iter()
            .map(|folder| folder.name.to_owned())
            .collect()
    }

    /// Takes a member by name, or a folder by path.
    ///
    /// # Errors
    /// [`HarnessError::UnknownCandidate`] with a suggestion, [`HarnessError::Document`] for a wrong manifest.
    pub fn candidate(&self, name: &str) -> Result<Candidate, HarnessError> {
        Err(HarnessError::UnknownCandidate {
            name: name.to_owned(),
            known: self.names(),
        })
    }
}
