//! The tag by which an upstream finds the script for a request, and a scenario the arrival of it.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The request field that carries a [`ProbeId`] through the candidate.
pub const PROBE_HEADER: &str = "X-Proxyproof-Probe";

/// Identifies one probe's request: 64 bits, written as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(u64);

impl ProbeId {
    /// An id not given out before in this process, and spread so that two processes rarely agree.
    #[must_use]
    pub fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        // A bijection of the count plus a constant of the process: never the same id twice in one process.
        Self(scatter(count.wrapping_add(process_seed())))
    }

    /// The id as a number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// The id a field value holds, if it is exactly 16 hexadecimal digits.
    #[must_use]
    pub fn from_bytes(value: &[u8]) -> Option<Self> {
        if value.len() != 16 {
            return None;
        }
        value
            .iter()
            .try_fold(0_u64, |number, &byte| {
                let digit = char::from(byte).to_digit(16)?;
                Some(number << 4 | u64::from(digit))
            })
            .map(Self)
    }
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProbeId({self})")
    }
}

/// A text that is not 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a probe id: 16 hexadecimal digits")]
pub struct InvalidProbeId {
    /// What was read.
    pub text: String,
}

impl FromStr for ProbeId {
    type Err = InvalidProbeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_bytes(text.as_bytes()).ok_or_else(|| InvalidProbeId {
            text: text.to_owned(),
        })
    }
}

fn process_seed() -> u64 {
    static SEED: AtomicU64 = AtomicU64::new(0);
    let seed = SEED.load(Ordering::Relaxed);
    if seed != 0 {
        return seed;
    }
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |elapsed| u64::try_from(elapsed.as_nanos()).unwrap_or(1));
    let fresh = scatter(clock ^ (u64::from(std::process::id()) << 32)) | 1;
    match SEED.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => fresh,
        Err(earlier) => earlier,
    }
}

/// The finaliser of `SplitMix64`: a bijection on 64 bits.
fn scatter(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn written_and_read_back() {
        let id = ProbeId::fresh();
        assert_eq!(id.to_string().len(), 16);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(ProbeId::from_bytes(b"00000000000000ff"), Some(ProbeId(255)));
        for bad in [
            "",
            "ff",
            "00000000000000fg",
            "+0000000000000ff",
            "00000000000000fff",
        ] {
            assert!(bad.parse::<ProbeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn never_the_same_twice() {
        let ids: HashSet<_> = (0..10_000).map(|_| ProbeId::fresh()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
