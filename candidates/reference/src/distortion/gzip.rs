//! The gzip format (RFC 1952) without its compression: stored blocks (RFC 1951 section 3.2.4), each piece readable as it comes.

/// A gzip member under way.
#[derive(Debug)]
pub(crate) struct Gzip {
    /// Of what was put in so far, not yet inverted.
    remainder: u32,
    length: u32,
    has_begun: bool,
}

impl Gzip {
    pub(crate) const fn new() -> Self {
        Self {
            remainder: u32::MAX,
            length: 0,
            has_begun: false,
        }
    }

    /// The bytes that stand for a piece.
    pub(crate) fn put(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut member = self.header();
        for block in piece.chunks(usize::from(u16::MAX)) {
            // A block is cut to what its 16-bit length can say.
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            member.push(0);
            member.extend_from_slice(&length.to_le_bytes());
            member.extend_from_slice(&(!length).to_le_bytes());
            member.extend_from_slice(block);
            self.count(block, length);
        }
        member
    }

    /// The bytes that end the member: an empty last block, the checksum and the length.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let mut member = self.header();
        member.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
        member.extend_from_slice(&(!self.remainder).to_le_bytes());
        member.extend_from_slice(&self.length.to_le_bytes());
        member
    }

    fn header(&mut self) -> Vec<u8> {
        match std::mem::replace(&mut self.has_begun, true) {
            true => Vec::new(),
            false => vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff],
        }
    }

    fn count(&mut self, block: &[u8], length: u16) {
        self.length = self.length.wrapping_add(u32::from(length));
        for &byte in block {
            self.remainder ^= u32::from(byte);
            for _ in 0..8 {
                let is_odd = self.remainder & 1 == 1;
                self.remainder = (self.remainder >> 1) ^ if is_odd { POLYNOMIAL } else { 0 };
            }
        }
    }
}

/// RFC 1952 section 8, reversed.
const POLYNOMIAL: u32 = 0xedb8_8320;

#[cfg(test)]
mod tests {
    use super::Gzip;

    #[test]
    fn the_usual_example_has_the_usual_checksum() {
        let mut gzip = Gzip::new();
        let first = gzip.put(b"12345");
        assert_eq!(first[10..15], [0, 5, 0, 0xfa, 0xff]);
        assert_eq!(gzip.put(b"6789")[5..], *b"6789");
        let end = gzip.end();
        assert_eq!(end[5..9], 0xcbf4_3926_u32.to_le_bytes());
        assert_eq!(end[9..], 9_u32.to_le_bytes());
    }
}
