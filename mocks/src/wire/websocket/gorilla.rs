//! Reading messages by the rules of gorilla/websocket 1.5.3, as a server.

use bytes::{Bytes, BytesMut};

use super::decoder::{FrameHeader, take_frame};
use super::frame::{Frame, Opcode};

/// What a reader found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// A whole text message; gorilla does not check that it is UTF-8.
    Text(Bytes),
    /// A whole binary message.
    Binary(Bytes),
    /// A ping, which is to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// Close, which is to be answered with the same code and no reason; 1005 stands for no code.
    Close {
        /// The peer's code.
        code: u16,
        /// The peer's reason.
        reason: String,
    },
    /// Nothing: feed more.
    More,
}

/// A breach of the protocol, which is to be answered with Close 1002 and this reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// In gorilla's words, for example `bad MASK`; several are joined by a comma.
    pub reason: String,
}

/// Puts messages together from frames, and refuses what gorilla refuses when it refuses it.
#[derive(Clone, Debug, Default)]
pub struct SocketReader {
    assembling: Option<(Opcode, BytesMut)>,
}

impl SocketReader {
    /// A reader at the start of a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what it can use from the front of `buffer`; call again until [`SocketEvent::More`].
    ///
    /// # Errors
    /// When the peer breaks the protocol; nothing more is to be read then.
    pub fn read(&mut self, buffer: &mut BytesMut) -> Result<SocketEvent, Violation> {
        loop {
            if let [first, second, ..] = buffer[..] {
                self.check_header(first, second)?;
            }
            let left = MESSAGE_LIMIT
                - self
                    .assembling
                    .as_ref()
                    .map_or(0, |(_, so_far)| so_far.len() as u64);
            let frame =
                take_frame(buffer, left).map_err(|_| violation("message longer than 128 MiB"))?;
            let Some(frame) = frame else {
                return Ok(SocketEvent::More);
            };
            if let Some(event) = self.take(frame)? {
                return Ok(event);
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Option<SocketEvent>, Violation> {
        match frame.opcode {
            Opcode::Ping => Ok(Some(SocketEvent::Ping(frame.payload))),
            Opcode::Pong => Ok(Some(SocketEvent::Pong(frame.payload))),
            Opcode::Close => read_close(&frame).map(Some),
            Opcode::Text | Opcode::Binary if frame.last => {
                Ok(Some(message(frame.opcode, frame.payload)))
            }
            Opcode::Text | Opcode::Binary => {
                self.assembling = Some((frame.opcode, BytesMut::from(&frame.payload[..])));
                Ok(None)
            }
            Opcode::Continuation | Opcode::Reserved(_) => Ok(self.proceed(&frame)),
        }
    }

    fn proceed(&mut self, frame: &Frame) -> Option<SocketEvent> {
        let (opcode, mut so_far) = self.assembling.take()?;
        so_far.extend_from_slice(&frame.payload);
        if frame.last {
            return Some(message(opcode, so_far.freeze()));
        }
        self.assembling = Some((opcode, so_far));
        None
    }

    /// Everything gorilla refuses by a frame's first two bytes.
    fn check_header(&self, first: u8, second: u8) -> Result<(), Violation> {
        // The length is in the second byte; more bytes of the header are not needed to judge it.
        let header = FrameHeader::read(&[first, second & 0x7f, 0, 0, 0, 0, 0, 0, 0, 0])
            .expect("ten bytes are enough");
        let long = second & 0x7f > 125;
        let within = self.assembling.is_some();
        let mut reasons = Vec::new();
        for (bit, reason) in [(4, "RSV1 set"), (2, "RSV2 set"), (1, "RSV3 set")] {
            if header.reserved & bit != 0 {
                reasons.push(reason.to_owned());
            }
        }
        match header.opcode {
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                if long {
                    reasons.push("len > 125 for control".to_owned());
                }
                if !header.last {
                    reasons.push("FIN not set on control".to_owned());
                }
            }
            Opcode::Text | Opcode::Binary if within => reasons.push("data before FIN".to_owned()),
            Opcode::Text | Opcode::Binary => {}
            Opcode::Continuation if !within => reasons.push("continuation after FIN".to_owned()),
            Opcode::Continuation => {}
            Opcode::Reserved(bits) => reasons.push(format!("bad opcode {bits}")),
        }
        if second & 0x80 == 0 {
            reasons.push("bad MASK".to_owned());
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(violation(reasons.join(", ")))
        }
    }
}

fn message(opcode: Opcode, payload: Bytes) -> SocketEvent {
    match opcode {
        Opcode::Text => SocketEvent::Text(payload),
        _ => SocketEvent::Binary(payload),
    }
}

fn read_close(frame: &Frame) -> Result<SocketEvent, Violation> {
    let Some(payload) = frame.payload.get(..2) else {
        let (code, reason) = (NO_STATUS, String::new());
        return Ok(SocketEvent::Close { code, reason });
    };
    let code = u16::from_be_bytes([payload[0], payload[1]]);
    if !is_valid_close_code(code) {
        return Err(violation(format!("bad close code {code}")));
    }
    let reason = String::from_utf8(frame.payload[2..].to_vec())
        .map_err(|_| violation("invalid utf8 payload in close frame"))?;
    Ok(SocketEvent::Close { code, reason })
}

/// The close codes gorilla accepts from a peer.
fn is_valid_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999)
}

/// The Close frame gorilla answers this code with: no payload for 1005, else the code alone.
#[must_use]
pub fn close_reply(code: u16) -> Frame {
    if code == NO_STATUS {
        return Frame::close_empty();
    }
    Frame::close(code, "")
}

fn violation(reason: impl Into<String>) -> Violation {
    Violation {
        reason: reason.into(),
    }
}

/// Stands for a Close frame without a code (RFC 6455 section 7.4.1).
const NO_STATUS: u16 = 1005;

/// Gorilla has no limit unless it is set; this one keeps one peer from taking all memory.
const MESSAGE_LIMIT: u64 = 128 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 4] = [1, 2, 3, 4];

    fn read_all(pieces: &[&[u8]]) -> (Vec<SocketEvent>, Option<String>) {
        let mut reader = SocketReader::new();
        let mut buffer = BytesMut::new();
        let mut events = Vec::new();
        for piece in pieces {
            buffer.extend_from_slice(piece);
            loop {
                match reader.read(&mut buffer) {
                    Ok(SocketEvent::More) => break,
                    Ok(event) => events.push(event),
                    Err(violation) => return (events, Some(violation.reason)),
                }
            }
        }
        (events, None)
    }

    fn wire(frames: &[Frame]) -> Vec<u8> {
        frames
            .iter()
            .flat_map(|frame| frame.to_bytes().to_vec())
            .collect()
    }

    #[test]
    fn a_ping_within_a_fragmented_message() {
        let frames = [
            Frame::text("a").more_to_come().masked(KEY),
            Frame::ping("p").masked(KEY),
            Frame::new(Opcode::Continuation, "b").masked(KEY),
        ];
        let want = [
            SocketEvent::Ping("p".into()),
            SocketEvent::Text("ab".into()),
        ];
        assert_eq!(read_all(&[&wire(&frames)]), (want.to_vec(), None));
    }

    #[test]
    fn refused_in_gorillas_words() {
        let mut reserved = Frame::text("a").masked(KEY);
        reserved.reserved = 4;
        let continuation = Frame::new(Opcode::Continuation, "b").masked(KEY);
        let fragment = Frame::text("a").more_to_come().masked(KEY);
        let cases = [
            (vec![Frame::text("a")], "bad MASK"),
            (vec![reserved], "RSV1 set"),
            (
                vec![Frame::new(Opcode::Reserved(3), "").masked(KEY)],
                "bad opcode 3",
            ),
            (
                vec![Frame::ping(vec![0; 126]).masked(KEY)],
                "len > 125 for control",
            ),
            (
                vec![Frame::ping("").more_to_come()],
                "FIN not set on control, bad MASK",
            ),
            (vec![continuation], "continuation after FIN"),
            (vec![fragment.clone(), fragment], "data before FIN"),
            (
                vec![Frame::close(1005, "").masked(KEY)],
                "bad close code 1005",
            ),
            (
                vec![Frame::close(1004, "").masked(KEY)],
                "bad close code 1004",
            ),
            (
                vec![Frame::close(5000, "").masked(KEY)],
                "bad close code 5000",
            ),
        ];
        for (frames, reason) in cases {
            assert_eq!(read_all(&[&wire(&frames)]).1.as_deref(), Some(reason));
        }
        let bad_text = Frame::new(Opcode::Close, vec![0x03, 0xe8, 0xff]).masked(KEY);
        assert_eq!(
            read_all(&[&wire(&[bad_text])]).1.as_deref(),
            Some("invalid utf8 payload in close frame")
        );
    }

    #[test]
    fn closes_are_answered_with_their_code_alone() {
        let close = |frame: Frame| read_all(&[&wire(&[frame.masked(KEY)])]).0.remove(0);
        let event = |code, reason: &str| SocketEvent::Close {
            code,
            reason: reason.into(),
        };
        assert_eq!(close(Frame::close(4999, "why")), event(4999, "why"));
        assert_eq!(close(Frame::close_empty()), event(1005, ""));
        assert_eq!(close_reply(4999).to_bytes(), [0x88, 2, 0x13, 0x87][..]);
        assert_eq!(close_reply(1005).to_bytes(), [0x88, 0][..]);
    }

    proptest! {
        #[test]
        fn segmentation_does_not_matter(
            bytes in proptest::collection::vec(prop_oneof![Just(0x81_u8), Just(0x01), Just(0x80), Just(0x82), any::<u8>()], 0..80),
            cuts in proptest::collection::vec(0_usize..80, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read_all(&pieces), read_all(&[&bytes]));
        }
    }
}
