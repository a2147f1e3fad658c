//! Why a probe has no answer: [`ProbeError`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::answer::{Answer, ResetBy};
use super::departure::Departure;
use crate::patience::Patience;

/// A probe got no answer, or could not ask.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Nobody took the connection.
    #[error("connect to {address}")]
    Connect {
        /// The listener.
        address: SocketAddr,
        /// What the system said.
        #[source]
        cause: Arc<io::Error>,
    },
    /// TLS was not agreed on.
    #[error("agree on TLS with {address} as `{server_name}`")]
    Tls {
        /// The front.
        address: SocketAddr,
        /// The name asked for (SNI), which the certificate must cover.
        server_name: String,
        /// What rustls or the system said.
        #[source]
        cause: Arc<io::Error>,
    },
    /// The front negotiated another protocol than the probe speaks.
    #[error("agree on `{offered}` by ALPN: the front chose `{chosen}`")]
    Alpn {
        /// What the probe can speak.
        offered: String,
        /// What was chosen, empty for nothing.
        chosen: String,
    },
    /// What was waited for did not come, and nobody closed either.
    #[error("see {awaited} within {waited:.1?} ({}), last seen: {last_seen}", .patience.name)]
    Silent {
        /// What was waited for, as a phrase: "the answer's head".
        awaited: String,
        /// Which bound ended the waiting.
        patience: Patience,
        /// How long it really was.
        waited: Duration,
        /// The last thing that came, or what was sent if nothing came.
        last_seen: String,
    },
    /// The connection ended before an answer's head was complete.
    #[error("get an answer: {how} after {} bytes", .received.len())]
    Closed {
        /// What the transport said.
        how: Departure,
        /// What had come of an answer.
        received: Bytes,
    },
    /// The HTTP/2 stream or connection was reset before an answer's head was complete.
    #[error("get an answer: {by}")]
    Reset {
        /// Who was reset, with the code.
        by: ResetBy,
    },
    /// What came is no answer of the protocol spoken.
    #[error("read the answer: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
        /// What had come, in HTTP/1.
        received: Bytes,
    },
    /// The request can't be written in the protocol spoken.
    #[error("write the request: {reason}")]
    Unsendable {
        /// Why not.
        reason: String,
    },
    /// The connection is in use by another exchange, or was given up by one.
    #[error("use the connection: {reason}")]
    Unusable {
        /// Why not.
        reason: &'static str,
    },
    /// The peer stopped taking what is written.
    #[error("write {what}")]
    Write {
        /// What was being written.
        what: &'static str,
        /// What the system or the protocol said.
        #[source]
        cause: Arc<io::Error>,
    },
    /// A WebSocket handshake was answered, but not with a switch of protocols.
    #[error("open a WebSocket: answered {}", .answer.status)]
    Refused {
        /// The answer.
        answer: Box<Answer>,
    },
    /// The other side broke the WebSocket protocol.
    #[error("read a WebSocket frame: {reason}")]
    WebSocket {
        /// What is wrong.
        reason: String,
    },
}

impl ProbeError {
    /// What the transport said, where the connection ended before an answer.
    #[must_use]
    pub fn departure(&self) -> Option<Departure> {
        match self {
            Self::Closed { how, .. } => Some(*how),
            Self::Reset { by: ResetBy::Tcp } => Some(Departure::Reset),
            _ => None,
        }
    }

    /// Whether the question did not even leave: what came back says nothing about the candidate's answer.
    #[must_use]
    pub fn could_not_ask(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Tls { .. }
                | Self::Alpn { .. }
                | Self::Unsendable { .. }
                | Self::Unusable { .. }
        )
    }

    /// Whether the peer closed without a byte of an answer, as a listener does that refuses what it got.
    #[must_use]
    pub fn closed_without_a_byte(&self) -> bool {
        match self {
            Self::Closed { received, .. } => received.is_empty(),
            Self::Reset { by } => !matches!(by, ResetBy::Stream { .. }),
            _ => false,
        }
    }
}
