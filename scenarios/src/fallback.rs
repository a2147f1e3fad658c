//! What Codex does when its handshake is not answered with 101, measured with 0.169.

use std::time::Duration;

/// What becomes of the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// The POST follows at once, and no handshake any more.
    AtOnce,
    /// Seven handshakes with growing pauses, then the POST.
    Late,
    /// The turn fails; there is no POST.
    Never,
}

impl Fallback {
    /// By the status of the answer; `None` for a connection that ended without one.
    pub(crate) fn from_refusal(status: Option<u16>) -> Self {
        match status {
            Some(426) => Self::AtOnce,
            Some(400) => Self::Never,
            _ => Self::Late,
        }
    }

    /// In a reader's terms.
    pub(crate) fn told(self) -> String {
        match self {
            Self::AtOnce => "Codex posts at once".to_owned(),
            Self::Late => format!("Codex shakes hands seven times and loses {LOST:?}"),
            Self::Never => "Codex ends the turn with an error".to_owned(),
        }
    }
}

/// Until the seventh handshake has failed.
const LOST: Duration = Duration::from_millis(6400);
