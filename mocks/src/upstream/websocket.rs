//! A WebSocket connection by the rules of gorilla/websocket 1.5.3, as a server.

use std::io;

use bytes::Bytes;

use super::Exchange;
use crate::wire::websocket::Frame;

/// A whole message, put together from its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text; gorilla does not check that it is UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
}

/// Why no message comes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEnd {
    /// The peer sent Close, which was answered with the same code and no reason. 1005 stands for no code.
    Closed {
        /// The peer's code.
        code: u16,
        /// The peer's reason.
        reason: String,
    },
    /// The peer broke the protocol; Close 1002 with this reason was sent.
    Protocol {
        /// For example `bad MASK`.
        reason: String,
    },
    /// The connection ended without Close.
    Gone,
}

/// A connection after `101`.
///
/// Reading answers pings and the closing handshake by itself, as gorilla's `ReadMessage` does.
#[derive(Debug)]
pub struct WebSocket<'a> {
    exchange: &'a mut Exchange,
}

impl WebSocket<'_> {
    /// The next whole message. Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`SocketEnd`]: nothing more can be read then.
    pub async fn next(&mut self) -> Result<Message, SocketEnd> {
        let _ = &self.exchange;
        todo!()
    }

    /// Writes one frame, in one write.
    ///
    /// # Errors
    /// When it cannot be written to the client.
    pub async fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let _ = frame;
        todo!()
    }
}
