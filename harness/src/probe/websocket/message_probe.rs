//! Messages over a WebSocket, as clients of the deployment send them: [`WebSocketProbe`].

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use proxyproof_mocks::Moment;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::handshake::Opened;
use super::tunnel::Tunnel;
use crate::patience::Patience;
use crate::probe::departure::Departure;
use crate::probe::error::ProbeError;
use crate::probe::exchange::silent;

/// An open WebSocket that keeps the protocol; pings are answered while [`WebSocketProbe::next`] waits.
#[derive(Debug)]
pub struct WebSocketProbe {
    socket: WebSocketStream<Tunnel>,
}

/// What came over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// A text message.
    Text {
        /// When it was complete.
        at: Moment,
        /// Its text.
        text: String,
    },
    /// A binary message.
    Binary {
        /// When it was complete.
        at: Moment,
        /// Its bytes.
        bytes: Bytes,
    },
    /// A ping.
    Ping {
        /// When it was complete.
        at: Moment,
        /// Its payload.
        payload: Bytes,
    },
    /// A pong.
    Pong {
        /// When it was complete.
        at: Moment,
        /// Its payload.
        payload: Bytes,
    },
    /// A close frame.
    Close {
        /// When it was complete.
        at: Moment,
        /// The code; `None` for an empty one.
        code: Option<u16>,
        /// The reason.
        reason: String,
    },
    /// The end of the connection.
    Gone {
        /// When it was seen.
        at: Moment,
        /// How.
        how: Departure,
    },
}

impl WebSocketProbe {
    pub(super) async fn over(opened: Opened) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let early = opened.early.to_vec();
        let socket =
            WebSocketStream::from_partially_read(opened.tunnel, early, Role::Client, Some(config));
        Self {
            socket: socket.await,
        }
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the peer is gone, [`ProbeError::Silent`] when it does not read.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), ProbeError> {
        self.send(Message::text(text.into())).await
    }

    /// Sends a binary message.
    ///
    /// # Errors
    /// As [`WebSocketProbe::send_text`].
    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), ProbeError> {
        self.send(Message::binary(bytes)).await
    }

    /// Sends one text message in these fragments (RFC 6455 section 5.4).
    ///
    /// # Errors
    /// As [`WebSocketProbe::send_text`].
    pub async fn send_fragments(&mut self, parts: &[&str]) -> Result<(), ProbeError> {
        for (index, part) in parts.iter().enumerate() {
            let opcode = match index {
                0 => Data::Text,
                _ => Data::Continue,
            };
            let last = index + 1 == parts.len();
            let payload = Bytes::copy_from_slice(part.as_bytes());
            let frame = Frame::message(payload, OpCode::Data(opcode), last);
            self.send(Message::Frame(frame)).await?;
        }
        Ok(())
    }

    /// Sends a ping.
    ///
    /// # Errors
    /// As [`WebSocketProbe::send_text`].
    pub async fn ping(&mut self, payload: impl Into<Bytes>) -> Result<(), ProbeError> {
        self.send(Message::Ping(payload.into())).await
    }

    /// Sends a close frame; the peer's comes by [`WebSocketProbe::next`].
    ///
    /// # Errors
    /// As [`WebSocketProbe::send_text`].
    pub async fn close(&mut self, code: u16, reason: &str) -> Result<(), ProbeError> {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        self.send(Message::Close(Some(frame))).await
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    /// [`ProbeError::WebSocket`] for what breaks the protocol, [`ProbeError::Silent`] when nothing comes.
    pub async fn next(&mut self) -> Result<SocketEvent, ProbeError> {
        self.next_within(Patience::STREAM).await
    }

    /// Waits for what comes next, with another bound.
    ///
    /// # Errors
    /// As [`WebSocketProbe::next`].
    pub async fn next_within(&mut self, patience: Patience) -> Result<SocketEvent, ProbeError> {
        loop {
            let message = patience.within("a WebSocket message", self.socket.next());
            let message = message
                .await
                .map_err(|ran_out| silent(ran_out, "an open WebSocket"))?;
            if let Some(event) = event(message)? {
                return Ok(event);
            }
        }
    }

    /// Ends the connection abruptly: RST, or RST_STREAM with CANCEL.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the system refuses.
    pub fn reset(mut self) -> Result<(), ProbeError> {
        let armed = self.socket.get_mut().arm_reset();
        armed.map_err(|cause| write_error("a reset", cause))
    }

    async fn send(&mut self, message: Message) -> Result<(), ProbeError> {
        let sent = Patience::STREAM.within("the peer to take a message", self.socket.send(message));
        let sent = sent
            .await
            .map_err(|ran_out| silent(ran_out, "a write that does not end"))?;
        sent.map_err(|error| match error {
            Error::Io(cause) => write_error("a WebSocket message", cause),
            other => write_error("a WebSocket message", io::Error::other(other)),
        })
    }
}

fn event(message: Option<Result<Message, Error>>) -> Result<Option<SocketEvent>, ProbeError> {
    let at = Moment::now();
    let gone = |how| Ok(Some(SocketEvent::Gone { at, how }));
    let message = match message {
        None => return gone(Departure::Fin),
        Some(Ok(message)) => message,
        Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => return gone(Departure::Fin),
        Some(Err(Error::Io(cause))) => {
            return gone(Departure::of(&cause).unwrap_or(Departure::Reset));
        }
        // The library's word for an end without a close frame.
        Some(Err(Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ))) => return gone(Departure::Fin),
        Some(Err(error)) => {
            return Err(ProbeError::WebSocket {
                reason: error.to_string(),
            });
        }
    };
    Ok(match message {
        Message::Text(text) => Some(SocketEvent::Text {
            at,
            text: text.to_string(),
        }),
        Message::Binary(bytes) => Some(SocketEvent::Binary { at, bytes }),
        Message::Ping(payload) => Some(SocketEvent::Ping { at, payload }),
        Message::Pong(payload) => Some(SocketEvent::Pong { at, payload }),
        Message::Close(frame) => Some(SocketEvent::Close {
            at,
            code: frame.as_ref().map(|frame| frame.code.into()),
            reason: frame
                .map(|frame| frame.reason.to_string())
                .unwrap_or_default(),
        }),
        Message::Frame(_) => None,
    })
}

fn write_error(what: &'static str, cause: io::Error) -> ProbeError {
    ProbeError::Write {
        what,
        cause: Arc::new(cause),
    }
}
