//! What becomes of a user's file in the private directory, by its language.

use std::path::{Path, PathBuf};

use super::{ApacheCopy, CERTIFICATE, CaddyCopy, HaproxyCopy, OwnCopy, apache, haproxy, own};
use crate::error::HarnessError;

/// How the private copy of a user's file differs from it, besides the addresses of the deployment.
///
/// A language is confined in three steps: `Candidate::with_configuration` reads the file, refuses what cannot be confined,
/// and puts what it found out here; `text` makes the copy's text once the stage is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateCopy {
    /// NGINX's: line by line.
    Nginx(OwnCopy),
    /// HAProxy's: line by line.
    Haproxy(HaproxyCopy),
    /// A Caddyfile's: in Caddy's native language.
    Caddy(CaddyCopy),
    /// Apache's: line by line.
    Apache(ApacheCopy),
}

/// What only a stage knows about where a copy runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CopyPlaces<'a> {
    /// The private directory, absolute; the candidate is started in it.
    pub(crate) directory: &'a Path,
}

impl CopyPlaces<'_> {
    /// The stage's certificate and its key, in one file.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join(CERTIFICATE)
    }
}

impl PrivateCopy {
    /// The user's text with blanks in the place of sites that are not the deployment's, where it has some.
    pub(super) fn without_others(&self, text: &str) -> Option<String> {
        match self {
            Self::Nginx(copy) if copy.others.is_empty() => None,
            Self::Nginx(copy) => Some(copy.without_others(text)),
            Self::Haproxy(_) | Self::Caddy(_) | Self::Apache(_) => None,
        }
    }

    /// The text of the private copy, with the deployment's addresses still in it: the stage's replace them afterwards.
    ///
    /// `text` is the user's, or what a test of the reload wrote instead. Another language than the user's may come out,
    /// under the name that the launch file has.
    pub(crate) fn text(&self, text: &str, places: CopyPlaces<'_>) -> Result<String, HarnessError> {
        match self {
            Self::Nginx(copy) => Ok(own::private_copy(text, copy)),
            Self::Haproxy(copy) => Ok(haproxy::private_copy(text, copy, places)),
            Self::Caddy(copy) => Ok(copy.text(text)),
            Self::Apache(copy) => Ok(apache::private_copy(text, copy, places)),
        }
    }
}
