//! What a service level asks for: `p99 < 5ms at 500/s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::load::carried;
use crate::profile::{Ask, Measure, Profile, Through};
use crate::report::{Measured, NoHistogram};

/// A percentile of latency from the intended moment, below a time, at a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// 0 to 1; 1 is the maximum.
    pub quantile: f64,
    /// What it has to stay below.
    pub below: Duration,
    /// Requests a second.
    pub rate: f64,
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
    pub fn profile(&self, profile: Profile) -> Profile {
        let rounds = f64::from(profile.rounds);
        // As many as lie beyond a percentile for it to be carried, twice: some are lost to the beginning.
        let samples = match self.quantile < 1.0 {
            true => 20.0 / (1.0 - self.quantile),
            false => 1000.0,
        };
        let least = (samples / self.rate / rounds * 1000.0).ceil() as u64;
        Profile {
            round_ms: profile.round_ms.max(least),
            measures: vec![Measure {
                name: format!("{} requests a second", self.rate),
                connections: CONNECTIONS,
                rate: Some(self.rate),
                poisson: false,
                ask: Ask::Health,
                through: Through::Listener,
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
        write!(formatter, "{name} < {:?} at {}/s", self.below, self.rate)
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
        let (below, rate) = rest
            .split_once(" at ")
            .ok_or(NoObjective("the rate is missing: ` at 500/s`"))?;
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
        let rate = rate.trim().strip_suffix("/s").unwrap_or("");
        let rate: f64 = rate
            .trim()
            .parse()
            .map_err(|_| NoObjective("a rate in requests a second, `500/s`"))?;
        if !(0.1..=1e6).contains(&rate) {
            return Err(NoObjective("a rate between 0.1/s and 1000000/s"));
        }
        Ok(Self {
            quantile,
            below,
            rate,
        })
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

/// As many as the quick profile has at its rate.
const CONNECTIONS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_read_as_it_is_shown() {
        for (text, shown) in [
            ("p99 < 5ms at 500/s", "p99 < 5ms at 500/s"),
            ("p99.9<1.5s at 20/s", "p99.9 < 1.5s at 20/s"),
            ("max < 800us at 1000 /s", "max < 800µs at 1000/s"),
        ] {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.to_string(), shown);
        }
        for text in [
            "p99 5ms at 500/s",
            "p99 < 5 at 500/s",
            "p99 < 5ms",
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
    fn the_rounds_are_long_enough_for_the_percentile() {
        let objective: Objective = "p99.9 < 5ms at 100/s".parse().unwrap();
        let profile = objective.profile(Profile::named("quick").unwrap());
        let samples = f64::from(profile.rounds) * profile.round_ms as f64 / 1000.0 * 100.0;
        assert!(samples * 0.001 >= 10.0, "{samples}");
    }
}
