//! Frames from bytes, without judging them.

use bytes::{Buf, BytesMut};

use super::frame::{Frame, Opcode, apply_mask};

/// The part of a frame before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) last: bool,
    pub(crate) reserved: u8,
    pub(crate) opcode: Opcode,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) payload_length: u64,
    /// Bytes the header takes.
    pub(crate) length: usize,
}

impl FrameHeader {
    /// Reads the header at the front of `bytes`; `None` if it is not complete.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
        let (payload_length, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk::<2>()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*length), rest)
            }
            length => (u64::from(length), rest),
        };
        let (mask, rest) = if second & 0x80 != 0 {
            let (key, rest) = rest.split_first_chunk::<4>()?;
            (Some(*key), rest)
        } else {
            (None, rest)
        };
        Some(Self {
            last: first & 0x80 != 0,
            reserved: first >> 4 & 0x07,
            opcode: Opcode::from_bits(first),
            mask,
            payload_length,
            length: bytes.len() - rest.len(),
        })
    }
}

/// A frame whose payload is longer than a reader is willing to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame of {length} bytes, more than {limit}")]
pub struct FrameTooLong {
    /// The payload's length in bytes, as announced.
    pub length: u64,
    /// The reader's limit in bytes.
    pub limit: u64,
}

/// Takes the first whole frame off the front of `buffer`, good or bad; `None` if it is not complete.
///
/// # Errors
/// When its payload is announced as longer than `limit` bytes.
pub fn take_frame(buffer: &mut BytesMut, limit: u64) -> Result<Option<Frame>, FrameTooLong> {
    let Some(header) = FrameHeader::read(buffer) else {
        return Ok(None);
    };
    let length = header.payload_length;
    let payload_length = match usize::try_from(length) {
        Ok(payload_length) if length <= limit => payload_length,
        _ => return Err(FrameTooLong { length, limit }),
    };
    if buffer.len() < header.length + payload_length {
        return Ok(None);
    }
    buffer.advance(header.length);
    let mut payload = buffer.split_to(payload_length);
    if let Some(key) = header.mask {
        apply_mask(key, 0, &mut payload);
    }
    Ok(Some(Frame {
        last: header.last,
        reserved: header.reserved,
        opcode: header.opcode,
        mask: header.mask,
        payload: payload.freeze(),
    }))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn examples_of_rfc_6455() {
        // Section 5.7: an unmasked and a masked "Hello", a fragment, a ping.
        let cases: [(&[u8], Frame); 4] = [
            (
                &[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
                Frame::text("Hello"),
            ),
            (
                &[
                    0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
                ],
                Frame::text("Hello").masked([0x37, 0xfa, 0x21, 0x3d]),
            ),
            (
                &[0x01, 0x03, 0x48, 0x65, 0x6c],
                Frame::text("Hel").more_to_come(),
            ),
            (
                &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
                Frame::ping("Hello"),
            ),
        ];
        for (wire, frame) in cases {
            assert_eq!(frame.to_bytes(), wire);
            assert_eq!(take_frame(&mut BytesMut::from(wire), 100), Ok(Some(frame)));
        }
    }

    #[test]
    fn announced_lengths_are_bounded() {
        let mut buffer = BytesMut::from(&[0x82, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 0][..]);
        let length = 0xff00_0000_0000_0000;
        assert_eq!(
            take_frame(&mut buffer, 9),
            Err(FrameTooLong { length, limit: 9 })
        );
    }

    fn frames() -> impl Strategy<Value = Frame> {
        let payload = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..130),
            Just(vec![7; 65_535]),
            Just(vec![8; 65_536]),
        ];
        (
            any::<bool>(),
            0_u8..8,
            0_u8..16,
            any::<Option<[u8; 4]>>(),
            payload,
        )
            .prop_map(|(last, reserved, opcode, mask, payload)| Frame {
                last,
                reserved,
                opcode: Opcode::from_bits(opcode),
                mask,
                payload: Bytes::from(payload),
            })
    }

    proptest! {
        #[test]
        fn encoded_and_decoded_in_any_segmentation(
            frames in proptest::collection::vec(frames(), 1..4),
            cuts in proptest::collection::vec(0_usize..400, 0..8),
        ) {
            let mut wire = BytesMut::new();
            for frame in &frames {
                frame.encode(&mut wire);
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let mut buffer = BytesMut::new();
            let mut decoded = Vec::new();
            for pair in cuts.windows(2) {
                buffer.extend_from_slice(&wire[pair[0]..pair[1]]);
                while let Some(frame) = take_frame(&mut buffer, 1 << 20).unwrap() {
                    decoded.push(frame);
                }
            }
            prop_assert_eq!(decoded, frames);
        }
    }
}
