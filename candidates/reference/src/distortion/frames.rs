//! Defects of a WebSocket: the only place that looks into frames (RFC 6455 section 5.2).

use bytes::{Buf, Bytes, BytesMut};

use crate::defect::{Defect, Defects};
use crate::upstream::corrupt;

/// Looks at one direction of a tunnel frame by frame.
pub(crate) struct FrameFilter {
    defects: Defects,
    /// Bytes of a frame that is not whole yet.
    pending: BytesMut,
    carried: u64,
}

/// What becomes of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass(Bytes),
    Cut,
}

impl FrameFilter {
    /// Whether any defect wants frames.
    pub(crate) fn wanted(defects: Defects) -> bool {
        FILTERING.iter().any(|&defect| defects.has(defect))
    }

    pub(crate) fn new(defects: Defects) -> Self {
        Self {
            defects,
            pending: BytesMut::new(),
            carried: 0,
        }
    }

    /// Passes whole frames on as the defects have it.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Verdict {
        if self.defects.has(Defect::CorruptFrames) {
            let offset = self.carried;
            self.carried += bytes.len() as u64;
            return Verdict::Pass(corrupt(Bytes::copy_from_slice(bytes), offset));
        }
        self.pending.extend_from_slice(bytes);
        let mut passed = BytesMut::new();
        while let Some(frame) = Frame::of(&self.pending) {
            let is_too_long = frame.payload > LONGEST && self.defects.has(Defect::LimitMessage);
            if is_too_long || frame.opcode == CLOSE && self.defects.has(Defect::CutOnClose) {
                return Verdict::Cut;
            }
            if self.pending.len() < frame.length() {
                break;
            }
            let whole = self.pending.split_to(frame.length());
            match frame.opcode {
                PING if self.defects.has(Defect::SwallowPings) => (),
                CLOSE if self.defects.has(Defect::LoseCloseReason) => {
                    passed.extend_from_slice(&plain_close(&whole, &frame))
                }
                _ => passed.extend_from_slice(&whole),
            }
        }
        Verdict::Pass(passed.freeze())
    }
}

struct Frame {
    opcode: u8,
    header: usize,
    payload: usize,
    mask: Option<[u8; 4]>,
}

impl Frame {
    /// The frame at the beginning, if its header is whole.
    fn of(mut bytes: &[u8]) -> Option<Self> {
        let before = bytes.len();
        let opcode = bytes.try_get_u8().ok()? & 0x0f;
        let second = bytes.try_get_u8().ok()?;
        let payload = match second & 0x7f {
            126 => u64::from(bytes.try_get_u16().ok()?),
            127 => bytes.try_get_u64().ok()?,
            short => u64::from(short),
        };
        let mask = match second & 0x80 {
            0 => None,
            _ => Some(bytes.try_get_u32().ok()?.to_be_bytes()),
        };
        Some(Self {
            opcode,
            header: before - bytes.len(),
            payload: usize::try_from(payload).ok()?,
            mask,
        })
    }

    const fn length(&self) -> usize {
        self.header.saturating_add(self.payload)
    }
}

/// A Close frame with code 1000 and no reason, masked as the original.
fn plain_close(whole: &[u8], frame: &Frame) -> Vec<u8> {
    let code = 1000_u16.to_be_bytes();
    match frame.mask {
        None => vec![whole[0], 2, code[0], code[1]],
        Some(mask) => [
            &[whole[0], 0x82][..],
            &mask,
            &[code[0] ^ mask[0], code[1] ^ mask[1]],
        ]
        .concat(),
    }
}

const FILTERING: &[Defect] = &[
    Defect::CutOnClose,
    Defect::LoseCloseReason,
    Defect::LimitMessage,
    Defect::SwallowPings,
    Defect::CorruptFrames,
];

const CLOSE: u8 = 8;
const PING: u8 = 9;

/// Payload bytes that the defect lets through.
const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::{FrameFilter, Verdict};
    use crate::defect::{Defect, Defects};

    fn filter(defect: Defect, bytes: &[u8]) -> Verdict {
        let mut defects = Defects::default();
        defects.insert(defect);
        FrameFilter::new(defects).pass(bytes)
    }

    #[test]
    fn each_defect_changes_its_frames_only() {
        let text = [0x81, 2, b'h', b'i'];
        let ping = [0x89, 0];
        let close = [0x88, 0x84, 0, 0, 0, 0, 0x03, 0xe9, b'o', b'k'];
        let all = [&text[..], &ping, &close].concat();
        assert_eq!(
            filter(Defect::SwallowPings, &all),
            Verdict::Pass([&text[..], &close].concat().into())
        );
        assert_eq!(filter(Defect::CutOnClose, &all), Verdict::Cut);
        let plain = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];
        assert_eq!(
            filter(Defect::LoseCloseReason, &all),
            Verdict::Pass([&text[..], &ping, &plain].concat().into())
        );
        assert_eq!(
            filter(Defect::LimitMessage, &all),
            Verdict::Pass(all.clone().into())
        );
        assert_eq!(
            filter(Defect::LimitMessage, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 1]),
            Verdict::Cut
        );
    }
}
