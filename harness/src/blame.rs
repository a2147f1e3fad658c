//! Whose fault a mismatch is, worked out from what both ends saw.

use std::fmt;

use proxyproof_mocks::front::RunningFront;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    finding::Finding,
    probe::{ProbeError, Seen},
    protocol::Protocol,
};

/// Who has to change something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The proxy under test.
    #[default]
    Candidate,
    /// The tunnel server in front of it.
    Front,
    /// The harness lost evidence or could not ask.
    Harness,
}

impl Blame {
    /// The word used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Front => "front",
            Self::Harness => "harness",
        }
    }
}

impl Blame {
    /// Whose fault a mismatch is, as far as one exchange tells, and what says so.
    ///
    /// That nothing arrived is the candidate's doing as long as nobody knows better: whether the front handed a
    /// connection on is only known to its own records.
    pub(crate) fn of(seen: &Seen) -> (Self, String) {
        let places: Vec<&str> = seen
            .arrivals
            .iter()
            .map(|arrival| &*arrival.upstream)
            .collect();
        match &seen.answer {
            _ if !places.is_empty() => {
                let places = places.join(", ");
                (
                    Self::Candidate,
                    format!("the request arrived at {places}: what changed, changed on the way"),
                )
            }
            Ok(_) => (
                Self::Candidate,
                "it answered by itself: nothing arrived at an upstream".to_owned(),
            ),
            Err(error) => Self::of_failure(error, seen.request.protocol),
        }
    }

    fn of_failure(error: &ProbeError, protocol: Protocol) -> (Self, String) {
        let (blame, reason) = match error {
            ProbeError::Unsendable { .. } | ProbeError::Unusable { .. } => {
                (Self::Harness, "the probe could not send")
            }
            ProbeError::Tls { .. } | ProbeError::Alpn { .. } if !protocol.is_chain() => (
                Self::Candidate,
                "the candidate did not agree on TLS with the client",
            ),
            ProbeError::Tls { .. } | ProbeError::Alpn { .. } => (
                Self::Front,
                "the front did not agree on TLS with the client",
            ),
            ProbeError::Connect { .. } if protocol.is_chain() => {
                (Self::Front, "the front did not take the connection")
            }
            ProbeError::Connect { .. } => {
                (Self::Candidate, "the candidate did not take the connection")
            }
            _ => (Self::Candidate, "it took the request and passed nothing on"),
        };
        (blame, reason.to_owned())
    }
}

impl Finding {
    /// Moves the blame to the front where nothing arrived, and its own records say that it handed nothing on.
    pub(crate) fn blame_front(&mut self, front: &RunningFront) {
        if !self.arrived.is_empty() || self.blame != Blame::Candidate {
            return;
        }
        let connection = self.client.and_then(|client| front.connection_from(client));
        if connection.is_some_and(|connection| connection.dialled_at.is_none()) {
            self.blame = Blame::Front;
            "the front did not hand the connection on".clone_into(&mut self.blame_reason);
        }
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
