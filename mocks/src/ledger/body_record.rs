//! What was read of a body: enough to tell whether it arrived whole, without keeping it.

use bytes::Bytes;

use crate::moment::Moment;

/// The number of leading bytes of a body that are kept.
pub const PREFIX_KEPT: usize = 16 * 1024;

/// The number of single reads that are kept.
pub const READS_KEPT: usize = 1024;

/// What an upstream read of a request's body, transfer coding removed.
#[derive(Clone, Debug)]
pub struct BodyRecord {
    /// Bytes read so far.
    pub length: u64,
    /// FNV-1a (64 bits) of the bytes read so far; compare with [`digest_of`].
    pub digest: u64,
    /// The first [`PREFIX_KEPT`] bytes.
    pub prefix: Bytes,
    /// When the first byte was read.
    pub first_at: Option<Moment>,
    /// When the latest byte was read.
    pub last_at: Option<Moment>,
    /// Whether the end of the body was read, trailers included.
    pub complete: bool,
    /// When how many bytes were read, for the first [`READS_KEPT`] reads.
    pub reads: Vec<(Moment, u64)>,
}

impl Default for BodyRecord {
    fn default() -> Self {
        Self {
            length: 0,
            digest: FNV_OFFSET,
            prefix: Bytes::new(),
            first_at: None,
            last_at: None,
            complete: false,
            reads: Vec::new(),
        }
    }
}

/// The digest of a whole body, as [`BodyRecord::digest`] has it once the body is complete.
#[must_use]
pub fn digest_of(body: &[u8]) -> u64 {
    extend_digest(FNV_OFFSET, body)
}

/// The digest of a body with `bytes` added to it, from the digest of what was before.
#[must_use]
pub fn extend_digest(digest: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(digest, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    })
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_fnv_1a_and_incremental() {
        // The published test vector of FNV-1a 64 for "foobar".
        assert_eq!(digest_of(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(
            extend_digest(digest_of(b"foo"), b"bar"),
            digest_of(b"foobar")
        );
    }
}
