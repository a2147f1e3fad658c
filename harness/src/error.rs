//! What keeps the harness from asking: [`HarnessError`].

use std::io;

use crate::blame::Blame;
use crate::document::DocumentError;
use crate::patience::RanOut;
use crate::probe::ProbeError;

/// The harness could not ask. That a candidate answered wrongly is a finding instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// A deployment or a manifest is unreadable or contradicts itself.
    #[error(transparent)]
    Document(#[from] Box<DocumentError>),
    /// No embedded deployment and no file has this name.
    #[error("no deployment is called `{name}`, and no such file is there")]
    UnknownDeployment {
        /// What was asked for.
        name: String,
    },
    /// No embedded kind of upstream and no file has this name.
    #[error("no kind is called `{name}`, and no such file is there")]
    UnknownKind {
        /// What was asked for.
        name: String,
        /// What could have been.
        known: Vec<String>,
    },
    /// No embedded candidate and no folder has this name.
    #[error("no candidate is called `{name}`, and no such folder is there")]
    UnknownCandidate {
        /// What was asked for.
        name: String,
        /// What could have been.
        known: Vec<String>,
    },
    /// The candidate's configuration has another deployment written into it.
    #[error("candidate `{candidate}` has a configuration for deployment `{own}` alone")]
    OtherDeployment {
        /// The candidate.
        candidate: String,
        /// The deployment that it serves.
        own: String,
        /// Candidates with the same proxy that serve any.
        remedy: Vec<String>,
    },
    /// The candidate can't connect to an upstream as the deployment wants it.
    #[error(
        "candidate `{candidate}` connects to no upstream over TLS, and `{upstream}` wants that"
    )]
    NoUpstreamTls {
        /// The candidate.
        candidate: String,
        /// The upstream.
        upstream: String,
    },
    /// A file that is needed can't be read.
    #[error("can't read `{file}`")]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The candidate's program is not installed.
    #[error("candidate `{candidate}` needs `{binary}`, which is not installed")]
    NotInstalled {
        /// The candidate.
        candidate: String,
        /// The program that was looked for.
        binary: String,
    },
    /// The candidate's container can't be had: no engine, no image, no permission.
    #[error("can't run a container of `{image}`: {why}")]
    Container {
        /// The image with its tag.
        image: String,
        /// What the engine said, or that there is none.
        why: String,
        /// What to do about it.
        help: String,
    },
    /// The candidate's manifest names no image, and none was given.
    #[error("candidate `{candidate}` has no image for a container")]
    NoImage {
        /// The candidate.
        candidate: String,
    },
    /// The candidate ended instead of serving.
    #[error("candidate `{candidate}` refused to start ({ending})")]
    Refused {
        /// The candidate.
        candidate: String,
        /// How it ended: `exit code 1`, `signal 9`.
        ending: String,
        /// Its own last words, from its output and its log, oldest first.
        words: Vec<String>,
        /// What to do about them, where the manifest knows.
        remedy: Option<String>,
    },
    /// The candidate's own check finds its configuration wrong.
    #[error("candidate `{candidate}` finds its configuration wrong ({ending})")]
    Invalid {
        /// The candidate.
        candidate: String,
        /// How the check ended: `exit code 1`.
        ending: String,
        /// What the check printed.
        words: Vec<String>,
    },
    /// The candidate runs, and no request came through it.
    #[error("candidate `{candidate}` did not become ready: {ran_out}")]
    NotReady {
        /// The candidate.
        candidate: String,
        /// What was waited for, how long, and what was seen instead.
        ran_out: Box<RanOut>,
        /// Its own last words.
        words: Vec<String>,
    },
    /// The candidate was gone in the middle of the run.
    #[error("candidate `{candidate}` died ({ending})")]
    Died {
        /// The candidate.
        candidate: String,
        /// How it ended.
        ending: String,
        /// Its own last words.
        words: Vec<String>,
    },
    /// Something that the harness waited for did not come.
    #[error(transparent)]
    RanOut(#[from] RanOut),
    /// A probe could not ask.
    #[error("failed to {0}")]
    Probe(#[from] Box<ProbeError>),
    /// The system refused something that the harness needs.
    #[error("can't {action}")]
    System {
        /// What was tried, as in `bind the CPA mock`.
        action: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl From<ProbeError> for HarnessError {
    fn from(error: ProbeError) -> Self {
        Self::Probe(Box::new(error))
    }
}

impl From<DocumentError> for HarnessError {
    fn from(error: DocumentError) -> Self {
        Self::Document(Box::new(error))
    }
}

impl HarnessError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Refused { .. }
            | Self::Invalid { .. }
            | Self::NotReady { .. }
            | Self::Died { .. }
            | Self::NotInstalled { .. } => Blame::Candidate,
            _ => Blame::Harness,
        }
    }

    /// The message with its causes, then the candidate's own last words, a line each.
    #[must_use]
    pub fn in_full(&self) -> String {
        let words = match self {
            Self::Refused { words, .. }
            | Self::NotReady { words, .. }
            | Self::Died { words, .. } => words.as_slice(),
            _ => &[],
        };
        let lines = words.iter().map(|line| format!("  | {line}"));
        let remedy = match self {
            Self::Refused { remedy, .. } => remedy.as_ref(),
            _ => None,
        };
        std::iter::once(chain(self))
            .chain(lines)
            .chain(remedy.map(|remedy| format!("help: {remedy}")))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// The message of an error and of each of its causes that it does not say itself.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
