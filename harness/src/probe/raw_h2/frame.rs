//! HTTP/2 frames (RFC 9113 section 4.1), right or wrong.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// One frame, with every part of it under control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct H2Frame {
    /// Its type; [`H2Frame::DATA`] and its siblings name the common ones.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream, 0 for the connection.
    pub stream: u32,
    /// Its payload.
    pub payload: Bytes,
}

impl H2Frame {
    /// DATA.
    pub const DATA: u8 = 0;
    /// HEADERS.
    pub const HEADERS: u8 = 1;
    /// RST_STREAM.
    pub const RST_STREAM: u8 = 3;
    /// SETTINGS.
    pub const SETTINGS: u8 = 4;
    /// PING.
    pub const PING: u8 = 6;
    /// GOAWAY.
    pub const GOAWAY: u8 = 7;
    /// WINDOW_UPDATE.
    pub const WINDOW_UPDATE: u8 = 8;
    /// CONTINUATION.
    pub const CONTINUATION: u8 = 9;

    /// The flag END_STREAM of DATA and HEADERS.
    pub const END_STREAM: u8 = 0x1;
    /// The flag ACK of SETTINGS and PING.
    pub const ACK: u8 = 0x1;
    /// The flag END_HEADERS of HEADERS and CONTINUATION.
    pub const END_HEADERS: u8 = 0x4;
    /// The flag PADDED of DATA and HEADERS.
    pub const PADDED: u8 = 0x8;
    /// The flag PRIORITY of HEADERS.
    pub const PRIORITY: u8 = 0x20;

    /// A frame.
    #[must_use]
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Bytes>) -> Self {
        Self {
            kind,
            flags,
            stream,
            payload: payload.into(),
        }
    }

    /// The frame's bytes; a payload of 2^24 bytes or more does not fit one.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let length = u32::try_from(self.payload.len()).expect("a payload under 2^24 bytes");
        let mut out = BytesMut::with_capacity(9 + self.payload.len());
        out.put_slice(&length.to_be_bytes()[1..]);
        out.put_u8(self.kind);
        out.put_u8(self.flags);
        out.put_u32(self.stream);
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// Takes a whole frame from the front of what came; `None` while there is none.
    pub(super) fn take(buffer: &mut BytesMut) -> Option<Self> {
        let head: [u8; 9] = buffer.get(..9)?.try_into().ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if buffer.len() < 9 + length {
            return None;
        }
        buffer.advance(9);
        Some(Self {
            kind,
            flags,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
            payload: buffer.split_to(length).freeze(),
        })
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of DATA or HEADERS without padding and priority; `None` if it is shorter than they say.
    pub(super) fn content(&self) -> Option<Bytes> {
        let mut content = self.payload.clone();
        let mut padding = 0;
        if self.has(Self::PADDED) {
            padding = usize::from(content.try_get_u8().ok()?);
        }
        if self.kind == Self::HEADERS && self.has(Self::PRIORITY) {
            content = content.slice(5.min(content.len())..);
        }
        let length = content.len().checked_sub(padding)?;
        Some(content.slice(..length))
    }

    /// The 32-bit number at this place of the payload, as error codes and windows are.
    pub(super) fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.payload.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_or_not() {
        let frame = H2Frame::new(H2Frame::DATA, H2Frame::END_STREAM, 1, "hello");
        let bytes = frame.encode();
        assert_eq!(&bytes[..9], [0, 0, 5, 0, 1, 0, 0, 0, 1]);
        let mut buffer = BytesMut::from(&bytes[..10]);
        assert_eq!(H2Frame::take(&mut buffer), None);
        buffer.extend_from_slice(&bytes[10..]);
        assert_eq!(H2Frame::take(&mut buffer), Some(frame));
    }

    #[test]
    fn padding_is_no_content() {
        let frame = H2Frame::new(H2Frame::DATA, H2Frame::PADDED, 1, &b"\x02hi\0\0"[..]);
        assert_eq!(frame.content().unwrap(), "hi");
        let wrong = H2Frame::new(H2Frame::DATA, H2Frame::PADDED, 1, &b"\x05hi"[..]);
        assert_eq!(wrong.content(), None);
    }
}
