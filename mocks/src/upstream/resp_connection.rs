//! A RESP connection as a service sees it.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;

/// Why no command could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RespError {
    /// Not an array of bulk strings, simple strings or integers.
    #[error("protocol error")]
    Protocol,
    /// The connection broke, or ended within a command.
    #[error("connection ended")]
    Ended,
}

/// A connection whose first byte was RESP's.
#[derive(Debug)]
pub struct RespConnection;

impl RespConnection {
    /// The next command's words; `None` at an orderly end. Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// See [`RespError`]; nothing more can be read then.
    pub async fn command(&mut self) -> Result<Option<Vec<Bytes>>, RespError> {
        todo!()
    }

    /// Writes these bytes, in one write.
    ///
    /// # Errors
    /// When they cannot be written to the client.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _ = bytes;
        todo!()
    }

    /// The address of the peer.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        todo!()
    }
}
