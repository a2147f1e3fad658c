//! How a candidate is started, told things and stopped.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InProcess, Language, PrivateCopy};
use crate::hint::Place;
use crate::protocol::Protocol;

/// The process of a candidate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Launch {
    /// How it runs.
    pub kind: LaunchKind,
    /// What its configuration is written in, where the harness can make private copies of that.
    pub language: Option<Language>,
    /// The image that [`Candidate::in_container`](super::Candidate::in_container) takes unless told otherwise.
    pub container: Option<ContainerImage>,
    /// The executable: a path, or a name looked up on the `PATH` and in the system's folders.
    pub binary: PathBuf,
    /// Its arguments; templates, like its files.
    pub arguments: Vec<String>,
    /// Arguments that print the version, and the text that stands before it.
    pub version: Option<VersionCommand>,
    /// Arguments that check the configuration and end with 0 when it is good.
    pub validate: Option<Vec<String>>,
    /// The files of the configuration; the first is the main one.
    pub files: Vec<Arc<LaunchFile>>,
    /// What is sent to it.
    pub signals: Signals,
    /// Its own log, relative to the private directory.
    pub log: Option<String>,
    /// When it counts as ready.
    pub readiness: Readiness,
}

/// How a candidate runs.
#[derive(Clone, Debug)]
pub enum LaunchKind {
    /// A program of its own.
    Process,
    /// This very executable, with a hidden argument.
    Embedded,
    /// A program in a container.
    Container(ContainerImage),
    /// A future in this process.
    InProcess(InProcess),
    /// It runs already.
    Attached(Attachment),
}

impl LaunchKind {
    /// The name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Embedded => "embedded",
            Self::Container(_) => "container",
            Self::InProcess(_) => "in_process",
            Self::Attached(_) => "attached",
        }
    }
}

/// Where a program is found when it runs in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerImage {
    /// The image with its tag: `nginx:stable-alpine`.
    #[serde(rename = "image")]
    pub name: String,
    /// What the program is called in there, where that is another name than on this machine.
    pub binary: Option<String>,
}

impl ContainerImage {
    /// The image's name and its tag; `latest` without one.
    #[must_use]
    pub fn name_and_tag(&self) -> (&str, &str) {
        match self.name.rsplit_once(':') {
            // A colon before a slash is a registry's port.
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (&self.name, "latest"),
        }
    }
}

/// A candidate that runs already: where it listens, and where it expects its upstreams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Its listeners.
    pub listeners: BTreeMap<Protocol, SocketAddr>,
    /// Where the mocks have to listen, by the deployment's names of upstreams.
    pub mocks: BTreeMap<String, Vec<SocketAddr>>,
}

/// How the version is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionCommand {
    /// Arguments, as in `["-v"]`.
    pub arguments: Vec<String>,
    /// The text before the version in what is printed, as in `nginx/`.
    pub after: String,
}

/// One file of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchFile {
    /// The name in the private directory.
    pub name: String,
    /// The file as the user wrote it, for messages.
    pub origin: String,
    /// Its text as the user wrote it.
    pub text: String,
    /// What becomes of it.
    pub role: Role,
    /// What the private copy has besides, within its lines.
    pub insertions: Vec<Insertion>,
    /// The only deployment that it is for, of a native file.
    pub deployment: Option<String>,
    /// Of a user's file, which has paths, listeners and destinations of its own: what the copy has instead.
    pub private_copy: Option<PrivateCopy>,
}

impl LaunchFile {
    /// The first directive that begins with these words, as [`Place::of`] finds it, other sites of the same server apart.
    pub(crate) fn place_of(&self, words: &str) -> Option<Place> {
        let without = self.private_copy.as_ref();
        let Some(text) = without.and_then(|copy| copy.without_others(&self.text)) else {
            return Place::of(words, &self.text);
        };
        let mut place = Place::of(words, &text)?;
        if let Some(line) = self.text.lines().nth(place.line - 1) {
            line.clone_into(&mut place.source);
        }
        Some(place)
    }

    /// Puts the insertions in; they have no line ends, so lines stay where they are.
    pub(crate) fn with_insertions(&self, text: &str, stages: Stages) -> String {
        self.insertions
            .iter()
            .filter(|insertion| insertion.on == Stages::All || insertion.on == stages)
            .fold(text.to_owned(), |text, insertion| {
                let Insertion {
                    after, text: more, ..
                } = insertion;
                text.replacen(after.as_str(), &format!("{after}{more}"), 1)
            })
    }
}

/// What the private copy of a file needs to keep to its directory, as where temporary files go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Insertion {
    /// The text it follows, at its first place.
    pub after: String,
    /// What is inserted.
    pub text: String,
    /// On which stages.
    #[serde(default)]
    pub on: Stages,
}

/// Which stages something is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stages {
    /// All of them.
    #[default]
    All,
    /// Those that real clients use, which ask for `localhost` and `127.0.0.1` too.
    Clients,
}

/// What becomes of a file of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The proxy's own language: only addresses are replaced, so every line stays where it is.
    #[default]
    Native,
    /// A minijinja template.
    Template,
}

/// What is sent to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signals {
    /// Ends it at once.
    pub stop: Signal,
    /// Ends it after what is under way.
    pub drain: Signal,
    /// Makes it read its configuration again.
    pub reload: Signal,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            stop: Signal::Term,
            drain: Signal::Term,
            reload: Signal::Hup,
        }
    }
}

/// The signals that proxies listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Signal {
    /// `SIGTERM`.
    Term,
    /// `SIGQUIT`.
    Quit,
    /// `SIGINT`.
    Int,
    /// `SIGHUP`.
    Hup,
    /// `SIGUSR1`.
    Usr1,
    /// `SIGUSR2`.
    Usr2,
    /// `SIGWINCH`.
    Winch,
}

/// When a candidate counts as ready: a request through every listener has arrived at an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// What is asked for, where that is not the site's own plain endpoint.
    pub target: Option<String>,
    /// The longest wait, where the usual one is too short.
    pub within: Option<Duration>,
}

impl Signal {
    /// The name in manifests.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Quit => "QUIT",
            Self::Int => "INT",
            Self::Hup => "HUP",
            Self::Usr1 => "USR1",
            Self::Usr2 => "USR2",
            Self::Winch => "WINCH",
        }
    }

    /// Whether it ends a program that does not mind it.
    pub(crate) const fn ends(self) -> bool {
        matches!(self, Self::Term | Self::Quit | Self::Int)
    }

    pub(crate) const fn number(self) -> rustix::process::Signal {
        use rustix::process::Signal as Number;
        match self {
            Self::Term => Number::TERM,
            Self::Quit => Number::QUIT,
            Self::Int => Number::INT,
            Self::Hup => Number::HUP,
            Self::Usr1 => Number::USR1,
            Self::Usr2 => Number::USR2,
            Self::Winch => Number::WINCH,
        }
    }
}
