//! Single WebSocket frames, right or wrong: [`FrameProbe`].

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::wire::websocket::{Frame, take_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::handshake::Opened;
use super::tunnel::Tunnel;
use crate::patience::Patience;
use crate::probe::departure::Departure;
use crate::probe::error::ProbeError;
use crate::probe::exchange::silent;

/// An open WebSocket whose every frame is the scenario's; it answers nothing by itself.
#[derive(Debug)]
pub struct FrameProbe {
    tunnel: Tunnel,
    buffer: BytesMut,
}

/// What came over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameEvent {
    /// A frame.
    Frame {
        /// When it was complete.
        at: Moment,
        /// The frame.
        frame: Frame,
    },
    /// The end of the connection.
    Gone {
        /// When it was seen.
        at: Moment,
        /// How.
        how: Departure,
        /// Bytes of a frame that never was whole.
        rest: Bytes,
    },
}

impl FrameProbe {
    pub(super) fn over(opened: Opened) -> Self {
        Self {
            tunnel: opened.tunnel,
            buffer: opened.early,
        }
    }

    /// Sends a frame, masked as a client must unless it brings a key of its own.
    ///
    /// # Errors
    /// As [`FrameProbe::send_bytes`].
    pub async fn send(&mut self, frame: Frame) -> Result<(), ProbeError> {
        let frame = match frame.mask {
            Some(_) => frame,
            None => frame.masked(MASK),
        };
        self.send_bytes(&frame.to_bytes()).await
    }

    /// Sends any bytes: half a frame, an unmasked one, garbage.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the peer is gone, [`ProbeError::Silent`] when it does not read.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), ProbeError> {
        let writing = async {
            self.tunnel.write_all(bytes).await?;
            self.tunnel.flush().await
        };
        let written = Patience::STREAM
            .within("the peer to take a frame", writing)
            .await;
        let written = written.map_err(|ran_out| silent(ran_out, "a write that does not end"))?;
        written.map_err(|cause| ProbeError::Write {
            what: "a WebSocket frame",
            cause: Arc::new(cause),
        })
    }

    /// Waits for the next frame, or the end.
    ///
    /// # Errors
    /// [`ProbeError::WebSocket`] for bytes that are no frame, [`ProbeError::Silent`] when nothing comes.
    pub async fn next(&mut self) -> Result<FrameEvent, ProbeError> {
        self.next_within(Patience::STREAM).await
    }

    /// Waits for the next frame, or the end, with another bound.
    ///
    /// # Errors
    /// As [`FrameProbe::next`].
    pub async fn next_within(&mut self, patience: Patience) -> Result<FrameEvent, ProbeError> {
        loop {
            let decoded = take_frame(&mut self.buffer, LONGEST_FRAME);
            let decoded = decoded.map_err(|error| ProbeError::WebSocket {
                reason: error.to_string(),
            })?;
            let at = Moment::now();
            if let Some(frame) = decoded {
                return Ok(FrameEvent::Frame { at, frame });
            }
            let read = patience.within("a frame", self.tunnel.read_buf(&mut self.buffer));
            let read = read
                .await
                .map_err(|ran_out| silent(ran_out, "an open WebSocket"))?;
            let how = match read {
                Ok(0) => Departure::Fin,
                Ok(_) => continue,
                Err(error) => Departure::of(&error).unwrap_or(Departure::Reset),
            };
            return Ok(FrameEvent::Gone {
                at: Moment::now(),
                how,
                rest: self.buffer.split().freeze(),
            });
        }
    }

    /// Closes the sending side (FIN, or END_STREAM) and goes on reading.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the connection is gone.
    pub async fn half_close(&mut self) -> Result<(), ProbeError> {
        let shut = self.tunnel.shutdown().await;
        shut.map_err(|cause| ProbeError::Write {
            what: "the end of the connection",
            cause: Arc::new(cause),
        })
    }

    /// Ends the connection abruptly: RST, or RST_STREAM with CANCEL.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the system refuses.
    pub fn reset(mut self) -> Result<(), ProbeError> {
        let armed = self.tunnel.arm_reset();
        armed.map_err(|cause| ProbeError::Write {
            what: "a reset",
            cause: Arc::new(cause),
        })
    }
}

/// More than any scenario lets an upstream send in one frame.
const LONGEST_FRAME: u64 = 256 * 1024 * 1024;

/// Any key will do for a test; a fixed one makes bytes repeatable.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
