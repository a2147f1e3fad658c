//! A WebSocket connection by the rules of gorilla/websocket 1.5.3, as a server.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};

use super::Exchange;
use super::socket::Filled;
use crate::wire::websocket::{Frame, Opcode, SocketEvent, SocketReader, close_reply};

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
    reader: SocketReader,
    outgoing: BytesMut,
    end: Option<SocketEnd>,
}

impl<'a> WebSocket<'a> {
    pub(crate) fn new(exchange: &'a mut Exchange) -> Self {
        Self {
            exchange,
            reader: SocketReader::new(),
            outgoing: BytesMut::new(),
            end: None,
        }
    }

    /// The next whole message. Cancel-safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`SocketEnd`]: nothing more can be read then.
    pub async fn next(&mut self) -> Result<Message, SocketEnd> {
        loop {
            // What could not be sent is noticed by reading.
            let _ = self.send().await;
            if let Some(end) = &self.end {
                return Err(end.clone());
            }
            let socket = &self.exchange.socket;
            let event = socket.with_buffer(|buffer| self.reader.read(buffer));
            match event {
                Ok(SocketEvent::Text(payload)) => {
                    self.exchange.arrival.frame_came();
                    return Ok(Message::Text(payload));
                }
                Ok(SocketEvent::Binary(payload)) => {
                    self.exchange.arrival.frame_came();
                    return Ok(Message::Binary(payload));
                }
                Ok(SocketEvent::Ping(payload)) => Frame::pong(payload).encode(&mut self.outgoing),
                Ok(SocketEvent::Pong(_)) => {}
                Ok(SocketEvent::Close { code, reason }) => {
                    close_reply(code).encode(&mut self.outgoing);
                    self.end = Some(SocketEnd::Closed { code, reason });
                }
                Ok(SocketEvent::More) => {
                    if let Filled::Ended(_) = socket.fill().await {
                        self.end = Some(SocketEnd::Gone);
                    }
                }
                Err(violation) => {
                    Frame::close(PROTOCOL_ERROR, &violation.reason).encode(&mut self.outgoing);
                    let reason = violation.reason;
                    self.end = Some(SocketEnd::Protocol { reason });
                }
            }
        }
    }

    /// Writes one frame, in one write.
    ///
    /// # Errors
    /// When it cannot be written to the client.
    pub async fn write(&mut self, frame: &Frame) -> io::Result<()> {
        frame.encode(&mut self.outgoing);
        if frame.opcode != Opcode::Close {
            self.exchange.arrival.frame_went();
        }
        self.send().await
    }

    /// Sends what is to be sent; what a cancelled call leaves is sent by the next.
    async fn send(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.exchange.socket.write(&self.outgoing).await {
                Ok(length) => self.outgoing.advance(length),
                Err(error) => {
                    self.outgoing.clear();
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// RFC 6455 section 7.4.1.
const PROTOCOL_ERROR: u16 = 1002;
