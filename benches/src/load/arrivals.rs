//! When requests are to be sent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A load model (Schroeder, Wierman, Harchol-Balter: "Open versus closed", NSDI 2006).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Arrivals {
    /// Every connection asks again as soon as it was answered.
    Closed,
    /// Closed, until so many were asked.
    Times(u64),
    /// So many a second, at equal distances, whatever the answers do.
    Constant(f64),
    /// So many a second on average, at exponentially distributed distances; the seed makes it repeatable.
    Poisson(f64, u64),
}

/// The intended moments of one run, in nanoseconds of [`Moment`](proxyproof_mocks::moment::Moment).
#[derive(Debug)]
pub(super) struct Schedule {
    arrivals: Arrivals,
    began: f64,
    end: u64,
    given: u64,
    /// The next moment of an open model.
    next: f64,
    random: fastrand::Rng,
}

impl Schedule {
    pub(super) fn new(arrivals: Arrivals, began: u64, duration: Duration) -> Self {
        let seed = match arrivals {
            Arrivals::Poisson(_, seed) => seed,
            _ => 0,
        };
        let mut schedule = Self {
            arrivals,
            began: began as f64,
            end: began.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
            given: 0,
            next: began as f64,
            random: fastrand::Rng::with_seed(seed),
        };
        if matches!(arrivals, Arrivals::Poisson(..)) {
            schedule.advance();
        }
        schedule
    }

    /// The earliest moment that is due and was not given yet. Past the end, those from before it are still due.
    pub(super) fn due(&mut self, now: u64) -> Option<u64> {
        match self.next()? {
            None => {
                let asks = match self.arrivals {
                    Arrivals::Times(times) => self.given < times,
                    _ => now < self.end,
                };
                self.given += u64::from(asks);
                asks.then_some(now)
            }
            Some(next) if next <= now => {
                self.advance();
                Some(next)
            }
            Some(_) => None,
        }
    }

    /// When the next is due; `None` in a closed model, and when there is none.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.next()?
    }

    /// Whether nothing more will be due.
    pub(super) fn is_over(&self, now: u64) -> bool {
        match self.arrivals {
            Arrivals::Closed => now >= self.end,
            Arrivals::Times(times) => self.given >= times || now >= self.end,
            _ => self.next().is_none(),
        }
    }

    /// How many that were intended were not given.
    pub(super) fn left(&mut self) -> u64 {
        let mut left = 0;
        while let Some(Some(_)) = self.next() {
            self.advance();
            left += 1;
        }
        left
    }

    /// None at the end; none within for a closed model.
    fn next(&self) -> Option<Option<u64>> {
        match self.arrivals {
            Arrivals::Closed | Arrivals::Times(_) => Some(None),
            _ => Some(Some(self.next as u64)).filter(|_| (self.next as u64) < self.end),
        }
    }

    fn advance(&mut self) {
        self.given += 1;
        match self.arrivals {
            Arrivals::Closed | Arrivals::Times(_) => {}
            // From the beginning each time: adding up distances would add up what rounding loses.
            Arrivals::Constant(rate) => self.next = self.began + self.given as f64 * NANOS / rate,
            Arrivals::Poisson(rate, _) => {
                // 1 - x is never 0.
                self.next -= (1.0 - self.random.f64()).ln() * NANOS / rate;
            }
        }
    }
}

const NANOS: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_keeps_its_distances() {
        let mut schedule = Schedule::new(Arrivals::Constant(1000.0), 0, Duration::from_millis(10));
        let all: Vec<u64> = std::iter::from_fn(|| schedule.due(u64::MAX)).collect();
        assert_eq!(all, (0..10).map(|n| n * 1_000_000).collect::<Vec<_>>());
        assert!(schedule.is_over(u64::MAX));
    }

    #[test]
    fn nothing_is_due_before_its_moment() {
        let mut schedule = Schedule::new(Arrivals::Constant(1000.0), 0, Duration::from_secs(1));
        assert_eq!(schedule.due(0), Some(0));
        assert_eq!(schedule.due(999_999), None);
        assert_eq!(schedule.next_due(), Some(1_000_000));
        assert_eq!(schedule.due(1_000_000), Some(1_000_000));
    }

    #[test]
    fn a_poisson_process_has_its_rate() {
        let mut schedule = Schedule::new(Arrivals::Poisson(500.0, 7), 0, Duration::from_secs(40));
        // 20 000 expected, standard deviation 141.
        let given = schedule.left();
        assert!((19_400..20_600).contains(&given), "{given}");
    }
}
