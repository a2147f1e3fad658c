use std::fmt;

use super::normalise::Normalised;
use super::place::Place;
use super::refusal::Refusal;
use super::server::Chosen;
use super::table::LocationId;
use super::trace::Trace;
use crate::printable::Printable;

/// What a configuration does with one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// Index of the server that decides, in [`Site::servers`](super::Site::servers), and why it does.
    pub server: Option<(usize, Chosen)>,
    /// What the path was made of; `None` if the request was refused before.
    pub normalised: Option<Normalised>,
    /// Each search for a location: the first, and one more after each rewrite.
    pub searches: Vec<Trace>,
    /// The location that answers; `None` if the server does by itself.
    pub location: Option<LocationId>,
    /// What happens.
    pub answer: Answer,
    /// Directives that may refuse the request first (`auth_basic`, `deny`, …), wherever it is routed.
    pub gates: Vec<(String, Place)>,
}

/// What happens to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// NGINX answers before it looks for a location.
    Refused(Refusal),
    /// An upstream gets it.
    Proxied {
        /// Its name as configured, or its host and port.
        upstream: String,
        /// The request target it receives.
        target: Vec<u8>,
    },
    /// NGINX redirects.
    Redirected {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to, without scheme, host and port if the configuration gives none; `None` where it is not modelled.
        location: Option<Vec<u8>>,
    },
    /// NGINX answers by itself: `return`, `internal`, a rewrite cycle.
    Returned {
        /// The status.
        status: u16,
    },
    /// Files answer, or a directive such as `fastcgi_pass`.
    Handled {
        /// The directive with its arguments; `files` for files.
        by: String,
    },
    /// The rules are not exact here, so nothing is said.
    NotModelled(NotModelled),
}

/// Something the oracle does not compute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotModelled {
    /// What it is.
    pub what: String,
    /// Where it is written.
    pub place: Option<Place>,
}

impl NotModelled {
    pub(crate) fn new(what: impl Into<String>, place: Option<Place>) -> Self {
        Self {
            what: what.into(),
            place,
        }
    }
}

impl fmt::Display for NotModelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not modelled: {}", self.what)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{} ({refusal})", refusal.status()),
            Self::Proxied { upstream, target } => {
                write!(f, "{upstream} gets {}", Printable(target))
            }
            Self::Redirected {
                status,
                location: Some(location),
            } => write!(f, "{status} to {}", Printable(location)),
            Self::Redirected {
                status,
                location: None,
            }
            | Self::Returned { status } => write!(f, "{status}"),
            Self::Handled { by } => write!(f, "{by}"),
            Self::NotModelled(what) => write!(f, "{what}"),
        }
    }
}

impl Answer {
    /// The status the client gets from NGINX itself; 200 where an upstream or a handler answers, as the mocks do.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status()),
            Self::Proxied { .. } | Self::Handled { .. } => Some(200),
            Self::Redirected { status, .. } | Self::Returned { status } => Some(*status),
            Self::NotModelled(_) => None,
        }
    }
}
