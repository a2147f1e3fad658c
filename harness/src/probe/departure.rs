//! How the other end of a connection went away.

use std::fmt;
use std::io;

/// What the transport said when the other end was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Departure {
    /// An orderly end: FIN, and under TLS a `close_notify` before it.
    Fin,
    /// A FIN under TLS without `close_notify`: an attacker could have cut here (RFC 8446 section 6.1).
    Cut,
    /// A TCP reset.
    Reset,
}

impl Departure {
    /// What a failed read says; `None` for an error that is no departure.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Some(Self::Cut),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Some(Self::Reset),
            _ => None,
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fin => "FIN",
            Self::Cut => "FIN without TLS close_notify",
            Self::Reset => "RST",
        })
    }
}
