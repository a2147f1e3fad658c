//! A RESP connection as a service sees it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::socket::{Filled, Socket};
use crate::ledger::{How, LiveConnection};
use crate::wire::resp::take_command;

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
pub struct RespConnection {
    socket: Arc<Socket>,
    connection: Arc<LiveConnection>,
}

impl RespConnection {
    pub(crate) fn new(socket: Arc<Socket>, connection: Arc<LiveConnection>) -> Self {
        Self { socket, connection }
    }

    /// The next command's words; `None` at an orderly end. Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// See [`RespError`]; nothing more can be read then.
    pub async fn command(&mut self) -> Result<Option<Vec<Bytes>>, RespError> {
        loop {
            let taken = self.socket.with_buffer(take_command);
            if let Some(words) = taken.map_err(|_| RespError::Protocol)? {
                self.connection.next_request();
                return Ok(Some(words));
            }
            match self.socket.fill().await {
                Filled::Bytes => {}
                Filled::Ended(How::Fin) if self.socket.with_buffer(|buffer| buffer.is_empty()) => {
                    return Ok(None);
                }
                Filled::Ended(_) => return Err(RespError::Ended),
            }
        }
    }

    /// Writes these bytes, in one write.
    ///
    /// # Errors
    /// When they cannot be written to the client.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await
    }

    /// The address of the peer.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.connection.peer
    }
}
