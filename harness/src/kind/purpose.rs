//! What a request is for, in the eyes of a scenario: [`Purpose`].

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a request to a site is for. A scenario asks for a purpose, and the site says which request that is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A short answer to a GET.
    Plain,
    /// An answer that comes piece by piece while it is made, as server-sent events or lines of JSON.
    Stream,
    /// A request with a body of some size.
    Upload,
    /// A WebSocket handshake.
    WebSocket,
    /// What tells whether the program is up.
    Health,
    /// What only its owner may do.
    Management,
}

impl Purpose {
    /// Every purpose, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::Stream,
        Self::Upload,
        Self::WebSocket,
        Self::Health,
        Self::Management,
    ];

    /// The name in kinds and deployments.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stream => "stream",
            Self::Upload => "upload",
            Self::WebSocket => "websocket",
            Self::Health => "health",
            Self::Management => "management",
        }
    }

    /// What a site without any of these lacks, as the end of "the site has no …".
    #[must_use]
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Plain => "plain endpoint",
            Self::Stream => "endpoint that streams",
            Self::Upload => "endpoint that takes a body",
            Self::WebSocket => "WebSocket endpoint",
            Self::Health => "health endpoint",
            Self::Management => "endpoint for its owner alone",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Purpose {
    type Err = UnknownPurpose;

    fn from_str(name: &str) -> Result<Self, UnknownPurpose> {
        let named = Self::ALL.into_iter().find(|purpose| purpose.name() == name);
        named.ok_or(UnknownPurpose)
    }
}

/// A word that names no purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no purpose of an endpoint is called that")]
pub struct UnknownPurpose;
