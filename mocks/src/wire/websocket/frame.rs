//! One WebSocket frame (RFC 6455 section 5.2), good or bad.

use bytes::{BufMut, Bytes, BytesMut};

/// The four bits that say what a frame is (RFC 6455 section 11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0: more of the message before.
    Continuation,
    /// 1: UTF-8 text.
    Text,
    /// 2: bytes.
    Binary,
    /// 8: the closing handshake.
    Close,
    /// 9: asks for a pong.
    Ping,
    /// 10: answers a ping.
    Pong,
    /// A number RFC 6455 reserves: 3 to 7 and 11 to 15; only the low four bits count.
    Reserved(u8),
}

impl Opcode {
    /// The opcode of the low four bits.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        match bits & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            reserved => Self::Reserved(reserved),
        }
    }

    /// The four bits.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
            Self::Reserved(bits) => bits & 0x0f,
        }
    }

    /// Whether it is a control frame's (RFC 6455 section 5.5).
    #[must_use]
    pub fn is_control(self) -> bool {
        self.bits() & 0x08 != 0
    }
}

/// One frame, with everything a sender can get wrong under control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether it is the last of its message (FIN).
    pub last: bool,
    /// RSV1, RSV2 and RSV3 as the bits 4, 2 and 1.
    pub reserved: u8,
    /// What it is.
    pub opcode: Opcode,
    /// The masking key, if it is (to be) masked.
    pub mask: Option<[u8; 4]>,
    /// The payload, unmasked.
    pub payload: Bytes,
}

impl Frame {
    /// A whole, unmasked message or control frame.
    #[must_use]
    pub fn new(opcode: Opcode, payload: impl Into<Bytes>) -> Self {
        Self {
            last: true,
            reserved: 0,
            opcode,
            mask: None,
            payload: payload.into(),
        }
    }

    /// A whole text message.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Opcode::Text, text.into().into_bytes())
    }

    /// A whole binary message.
    #[must_use]
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self::new(Opcode::Binary, payload)
    }

    /// A ping; the payload of a right one has at most 125 bytes.
    #[must_use]
    pub fn ping(payload: impl Into<Bytes>) -> Self {
        Self::new(Opcode::Ping, payload)
    }

    /// A pong; the payload of a right one has at most 125 bytes.
    #[must_use]
    pub fn pong(payload: impl Into<Bytes>) -> Self {
        Self::new(Opcode::Pong, payload)
    }

    /// A close frame with a code and a reason; see [`Self::close_empty`] for one with neither.
    #[must_use]
    pub fn close(code: u16, reason: &str) -> Self {
        let mut payload = BytesMut::with_capacity(2 + reason.len());
        payload.put_u16(code);
        payload.put_slice(reason.as_bytes());
        Self::new(Opcode::Close, payload.freeze())
    }

    /// A close frame without a payload.
    #[must_use]
    pub fn close_empty() -> Self {
        Self::new(Opcode::Close, Bytes::new())
    }

    /// The same frame, to be masked with this key.
    #[must_use]
    pub fn masked(mut self, key: [u8; 4]) -> Self {
        self.mask = Some(key);
        self
    }

    /// The same frame as the first or a middle one of its message (FIN not set).
    #[must_use]
    pub fn more_to_come(mut self) -> Self {
        self.last = false;
        self
    }

    /// The code and reason (lossy text) of a close frame's payload, if it has at least two bytes.
    #[must_use]
    pub fn close_code(&self) -> Option<(u16, String)> {
        if self.opcode != Opcode::Close || self.payload.len() < 2 {
            return None;
        }
        let code = u16::from_be_bytes([self.payload[0], self.payload[1]]);
        Some((
            code,
            String::from_utf8_lossy(&self.payload[2..]).into_owned(),
        ))
    }

    /// Appends the frame's bytes, the length in its shortest form.
    pub fn encode(&self, out: &mut BytesMut) {
        let last = if self.last { 0x80 } else { 0 };
        out.put_u8(last | (self.reserved & 0x07) << 4 | self.opcode.bits());
        let mask_bit = if self.mask.is_some() { 0x80 } else { 0 };
        match self.payload.len() {
            length @ 0..=125 => out.put_u8(mask_bit | u8::try_from(length).expect("at most 125")),
            length => match u16::try_from(length) {
                Ok(length) => {
                    out.put_u8(mask_bit | 126);
                    out.put_u16(length);
                }
                Err(_) => {
                    out.put_u8(mask_bit | 127);
                    out.put_u64(length as u64);
                }
            },
        }
        let Some(key) = self.mask else {
            out.put_slice(&self.payload);
            return;
        };
        out.put_slice(&key);
        let start = out.len();
        out.put_slice(&self.payload);
        apply_mask(key, 0, &mut out[start..]);
    }

    /// The frame's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(14 + self.payload.len());
        self.encode(&mut out);
        out.freeze()
    }
}

/// Masks or unmasks `payload`, whose first byte is byte `offset` of the frame's payload (RFC 6455 section 5.3).
pub(crate) fn apply_mask(key: [u8; 4], offset: usize, payload: &mut [u8]) {
    for (index, byte) in payload.iter_mut().enumerate() {
        *byte ^= key[(offset + index) % 4];
    }
}
