//! What a service level asks for: `p99 < 5ms at 500/s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::load::carried;
use crate::profile::{Measure, Profile};
use crate::report::{Measured, NoHistogram};

/// A percentile of latency from the intended moment, below a time, at a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// 0 to 1; 1 is the maximum.
    pub quantile: f64,
    /// What it has to stay below.
    pub below: Duration,
    /// Requests a second; without it the highest that keeps it is looked for.
    pub rate: Option<f64>,
}

/// Whether it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The percentile, in nanoseconds, is below.
    Yes(u64),
    /// It is not.
    No(u64),
    /// Too few samples carry the percentile.
    Unknown,
}

impl Objective {
    /// A profile that asks at this rate, long enough that the percentile is carried by its samples.
    #[must_use]
    pub fn profile(&self, rate: f64, profile: Profile) -> Profile {
        let rounds = f64::from(profile.rounds);
        // As many as lie beyond a percentile for it to be carried, twice: some are lost to the beginning.
        let samples = match self.quantile < 1.0 {
            true => 20.0 / (1.0 - self.quantile),
            false => 1000.0,
        };
        let least = (samples / rate / rounds * 1000.0).ceil() as u64;
        Profile {
            round_ms: profile.round_ms.max(least),
            measures: vec![Measure {
                rate: Some(rate),
                ..Measure::new(format!("{rate} requests a second"), CONNECTIONS)
            }],
            ..profile
        }
    }

    /// Whether a measure kept it; errors keep nothing.
    ///
    /// # Errors
    /// [`NoHistogram`] of a report that this program did not write.
    pub fn kept_by(&self, measured: &Measured) -> Result<Kept, NoHistogram> {
        let latencies = measured.latencies()?;
        let value = match self.quantile < 1.0 {
            true => carried(&latencies, self.quantile),
            false => (!latencies.is_empty()).then(|| latencies.max()),
        };
        let below = u64::try_from(self.below.as_nanos()).unwrap_or(u64::MAX);
        Ok(match value {
            None => Kept::Unknown,
            Some(value) if value < below && measured.errors.total() == 0 => Kept::Yes(value),
            Some(value) => Kept::No(value),
        })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.quantile {
            quantile if quantile >= 1.0 => "max".to_owned(),
            quantile => format!("p{}", (quantile * 1e5).round() / 1e3),
        };
        write!(formatter, "{name} < {:?}", self.below)?;
        match self.rate {
            Some(rate) => write!(formatter, " at {rate}/s"),
            None => Ok(()),
        }
    }
}

/// The text is no objective.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}, as in `p99 < 5ms at 500/s`")]
pub struct NoObjective(&'static str);

impl FromStr for Objective {
    type Err = NoObjective;

    fn from_str(text: &str) -> Result<Self, NoObjective> {
        let (percentile, rest) = text
            .split_once('<')
            .ok_or(NoObjective("a percentile, `<` and a time"))?;
        let (below, rate) = match rest.split_once(" at ") {
            Some((below, rate)) => (below, Some(rate)),
            None => (rest, None),
        };
        let quantile = match percentile.trim() {
            "max" => 1.0,
            name => {
                let number = name
                    .strip_prefix('p')
                    .and_then(|digits| digits.parse().ok());
                let number: f64 = number.ok_or(NoObjective("`p50`, `p99`, `p99.9` or `max`"))?;
                if !(0.0..100.0).contains(&number) {
                    return Err(NoObjective("a percentile lies between 0 and 100"));
                }
                number / 100.0
            }
        };
        let below = time(below.trim()).ok_or(NoObjective("a time in us, ms or s"))?;
        Ok(Self {
            quantile,
            below,
            rate: rate.map(of_rate).transpose()?,
        })
    }
}

fn of_rate(text: &str) -> Result<f64, NoObjective> {
    let digits = text.trim().strip_suffix("/s").unwrap_or("");
    let rate = digits.trim().parse();
    let rate: f64 = rate.map_err(|_| NoObjective("a rate in requests a second, `500/s`"))?;
    if (0.1..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err(NoObjective("a rate between 0.1/s and 1000000/s"))
    }
}

fn time(text: &str) -> Option<Duration> {
    let units = [("us", 1e6), ("ms", 1e3), ("s", 1.0)];
    let (number, by) = units
        .iter()
        .find_map(|(unit, by)| Some((text.strip_suffix(unit)?, by)))?;
    let seconds = number.trim().parse::<f64>().ok()? / by;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| !time.is_zero())
}

/// Enough that a request seldom waits for a connection before the proxy is at its end.
const CONNECTIONS: usize = 64;

/// The highest rate that keeps an objective, between what kept it and what did not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Search {
    kept: f64,
    broken: Option<f64>,
}

impl Search {
    /// The rate to ask at next; `None` once the highest is known to a tenth.
    #[must_use]
    pub fn next(&self) -> Option<f64> {
        match self.broken {
            None if self.kept >= FASTEST => None,
            None => Some((self.kept * 2.0).max(SLOWEST)),
            Some(broken) if broken <= SLOWEST / 4.0 => None,
            Some(broken) if broken - self.kept <= broken / 10.0 => None,
            Some(broken) => Some(((self.kept + broken) / 2.0).round()),
        }
    }

    /// Whether it was kept at this rate.
    pub fn tell(&mut self, rate: f64, kept: bool) {
        if kept {
            self.kept = rate;
        } else {
            self.broken = Some(rate);
        }
    }

    /// The highest rate that kept it, 0 if none did, and the lowest that did not, if there was one.
    #[must_use]
    pub fn found(&self) -> (f64, Option<f64>) {
        (self.kept, self.broken)
    }
}

/// Where the search begins, in requests a second.
const SLOWEST: f64 = 250.0;
/// More than one client asks.
const FASTEST: f64 = 256_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_read_as_it_is_shown() {
        for (text, shown) in [
            ("p99 < 5ms at 500/s", "p99 < 5ms at 500/s"),
            ("p99.9<1.5s at 20/s", "p99.9 < 1.5s at 20/s"),
            ("max < 800us at 1000 /s", "max < 800µs at 1000/s"),
            ("p90 < 2ms", "p90 < 2ms"),
        ] {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.to_string(), shown);
        }
        for text in [
            "p99 5ms at 500/s",
            "p99 < 5 at 500/s",
            "p101 < 5ms at 1/s",
            "q9 < 5ms at 1/s",
            "p99 < 5ms at 500",
            "p99 < 0ms at 500/s",
            "p99 < 5ms at 0/s",
            "p99 < -1ms at 5/s",
        ] {
            assert!(text.parse::<Objective>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_highest_rate_is_found_to_a_tenth() {
        for limit in [10.0, 300.0, 12_345.0, 1e9] {
            let mut search = Search::default();
            let mut asked = 0;
            while let Some(rate) = search.next() {
                search.tell(rate, rate <= limit);
                asked += 1;
                assert!(asked < 30, "{search:?}");
            }
            let (kept, broken) = search.found();
            assert!(kept <= limit && broken.is_none_or(|broken| broken > limit));
            assert!(
                kept >= limit.min(FASTEST) * 0.85 || limit < SLOWEST,
                "{search:?}"
            );
        }
    }

    #[test]
    fn the_rounds_are_long_enough_for_the_percentile() {
        let objective: Objective = "p99.9 < 5ms at 100/s".parse().unwrap();
        let profile = objective.profile(100.0, Profile::named("quick").unwrap());
        let samples = f64::from(profile.rounds) * profile.round_ms as f64 / 1000.0 * 100.0;
        assert!(samples * 0.001 >= 10.0, "{samples}");
    }
}
