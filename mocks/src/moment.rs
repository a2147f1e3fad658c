//! One clock for both ends: every time this workspace records is a [`Moment`].

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A point on the process's monotonic clock, comparable between probes and upstreams of one process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        let nanos = epoch().elapsed().as_nanos();
        // 2^64 ns are 584 years: the cast cannot lose anything in one run.
        Self(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Nanoseconds since the first moment this process asked for.
    #[must_use]
    pub fn nanos(self) -> u64 {
        self.0
    }
}

/// When this process's moments begin, in nanoseconds of the system's monotonic clock: what makes those of two processes comparable.
#[must_use]
pub fn epoch_nanos() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap_or(0);
    now.saturating_sub(Moment::now().nanos())
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from_nanos(self.0))
    }
}

// The only global of this crate: both ends of an exchange must count from the same point.
static EPOCH: OnceLock<Instant> = OnceLock::new();

fn epoch() -> &'static Instant {
    EPOCH.get_or_init(Instant::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_is_greater_and_since_saturates() {
        let first = Moment::now();
        let second = Moment::now();
        assert!(second >= first);
        assert_eq!(first.since(second).min(Duration::ZERO), Duration::ZERO);
        assert!(second.nanos() >= first.nanos());
    }
}
