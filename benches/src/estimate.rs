//! What rounds are worth: medians of paired ratios with bootstrap confidence intervals.

use serde::{Deserialize, Serialize};

/// A median and the interval that 95 % of resampled medians fall into.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The median of the rounds.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// Of these values, one a round; `None` without any.
    ///
    /// Percentile bootstrap with a fixed seed: the same rounds give the same interval.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let median = median_of(values.to_vec())?;
        let mut random = fastrand::Rng::with_seed(SEED);
        let resampled = |_| {
            let again = (0..values.len()).map(|_| values[random.usize(..values.len())]);
            median_of(again.collect())
        };
        let mut medians: Vec<f64> = (0..RESAMPLES).filter_map(resampled).collect();
        medians.sort_by(f64::total_cmp);
        let at = |share: f64| medians[((medians.len() - 1) as f64 * share).round() as usize];
        Some(Self {
            median,
            low: at(0.025),
            high: at(0.975),
        })
    }

    /// Of one candidate's rounds by another's, round by round.
    #[must_use]
    pub fn of_ratios(rounds: &[f64], baseline: &[f64]) -> Option<Self> {
        Self::of(&ratios(rounds, baseline))
    }

    /// Of one candidate's rounds less another's.
    #[must_use]
    pub fn of_differences(rounds: &[f64], baseline: &[f64]) -> Option<Self> {
        let pairs = rounds.iter().zip(baseline);
        Self::of(&pairs.map(|(value, base)| value - base).collect::<Vec<_>>())
    }

    /// Whether the interval leaves it open that the two are equal.
    #[must_use]
    pub fn allows(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// One candidate's rounds by another's, round by round; without those in which the other's is 0.
pub(crate) fn ratios(rounds: &[f64], baseline: &[f64]) -> Vec<f64> {
    let pairs = rounds.iter().zip(baseline).filter(|(_, base)| **base > 0.0);
    pairs.map(|(value, base)| value / base).collect()
}

/// The middle value, or the mean of the two.
pub(crate) fn median_of(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

const RESAMPLES: usize = 2000;
const SEED: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rounds_leave_no_doubt() {
        let estimate = Estimate::of_ratios(&[2.0; 8], &[1.0; 8]).unwrap();
        assert_eq!(
            estimate,
            Estimate {
                median: 2.0,
                low: 2.0,
                high: 2.0
            }
        );
        assert!(Estimate::of(&[]).is_none());
    }

    #[test]
    fn the_interval_covers_the_true_median_as_often_as_it_says() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut covered = 0;
        for _ in 0..200 {
            let rounds: Vec<f64> = (0..16).map(|_| random.f64()).collect();
            covered += u32::from(Estimate::of(&rounds).unwrap().allows(0.5));
        }
        // 95 % of 200 are 190; the percentile bootstrap of a median is a little too narrow for few rounds.
        assert!((172..=200).contains(&covered), "{covered}");
    }
}
