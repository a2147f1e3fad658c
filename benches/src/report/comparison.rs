//! A report against an earlier one.

use std::fmt::Write as _;

use super::{Report, Round, SCHEMA, Worth};
use crate::estimate::{Estimate, ratios};

/// What a later report says about the figures of an earlier one.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// One for each figure that both have.
    pub changes: Vec<Change>,
}

/// How one figure has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which: `nginx, 1 connection, p50`.
    pub figure: String,
    /// The later by the earlier; latencies are taken by the direct path's of their own run, so that another machine, or
    /// another hour, is no change.
    pub ratio: Estimate,
}

/// Why two reports say nothing about each other.
#[derive(Debug, thiserror::Error)]
pub enum Incomparable {
    /// It is no report of this version.
    #[error("`{file}` is no report of `proxyproof bench` with the schema `{SCHEMA}`")]
    Schema {
        /// Which file.
        file: String,
        /// What JSON says about it, if it is the schema that is right.
        #[source]
        cause: Option<serde_json::Error>,
    },
    /// Its figures are not to be used.
    #[error("`{file}` is void: {reason}")]
    Void {
        /// Which file.
        file: String,
        /// The first reason.
        reason: String,
    },
    /// No candidate and measure is in both.
    #[error("the two reports have no candidate and measure in common")]
    NothingInCommon,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// [`Incomparable::Schema`].
    pub fn parse(file: &str, text: &str) -> Result<Self, Incomparable> {
        let file = || file.to_owned();
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|cause| Incomparable::Schema {
                file: file(),
                cause: Some(cause),
            })?;
        if value["schema"] != SCHEMA {
            return Err(Incomparable::Schema {
                file: file(),
                cause: None,
            });
        }
        serde_json::from_value(value).map_err(|cause| Incomparable::Schema {
            file: file(),
            cause: Some(cause),
        })
    }
}

impl Comparison {
    /// Of two reports, by the names of their files.
    ///
    /// # Errors
    /// [`Incomparable`].
    pub fn of(old: (&str, &Report), new: (&str, &Report)) -> Result<Self, Incomparable> {
        for (file, report) in [old, new] {
            if report.verdict == Worth::Void {
                let reason = report.reasons.first().cloned().unwrap_or_default();
                return Err(Incomparable::Void {
                    file: file.to_owned(),
                    reason,
                });
            }
        }
        let mut changes = Vec::new();
        let later = figures(new.1);
        for Figure { name, series } in figures(old.1) {
            let now = later.iter().find(|figure| figure.name == name);
            if let Some(ratio) = now.and_then(|now| unpaired(&now.series, &series)) {
                changes.push(Change {
                    figure: name,
                    ratio,
                });
            }
        }
        if changes.is_empty() {
            return Err(Incomparable::NothingInCommon);
        }
        Ok(Self { changes })
    }

    /// Those that are slower for certain by more than this share, 0.05 for 5 %.
    #[must_use]
    pub fn slower(&self, share: f64) -> Vec<&Change> {
        self.changes
            .iter()
            .filter(|change| change.ratio.low > 1.0 + share)
            .collect()
    }

    /// As a table.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width = self
            .changes
            .iter()
            .map(|change| change.figure.len())
            .max()
            .unwrap_or(0);
        for Change { figure, ratio } in &self.changes {
            let is_memory = figure.ends_with(MEMORY);
            let verdict = match (ratio.allows(1.0), ratio.median > 1.0) {
                (true, _) => "no difference shown",
                (false, true) if is_memory => "more",
                (false, false) if is_memory => "less",
                (false, true) => "slower",
                (false, false) => "faster",
            };
            let Estimate { median, low, high } = ratio;
            writeln!(
                text,
                "{figure:width$}  {median:.2}x [{low:.2}, {high:.2}]  {verdict}"
            )
            .expect("a string takes every line");
        }
        text
    }
}

/// The name of a figure that is no time.
const MEMORY: &str = "memory of a connection";

/// One figure of one candidate, by round.
#[derive(Debug)]
struct Figure {
    name: String,
    series: Vec<f64>,
}

/// Every candidate's figures that carry over to another run.
fn figures(report: &Report) -> Vec<Figure> {
    let Some((direct, candidates)) = report.contenders.split_first() else {
        return Vec::new();
    };
    let mut figures = Vec::new();
    for candidate in candidates {
        for (measured, direct) in candidate.measures.iter().zip(&direct.measures) {
            let mut add = |figure: &str, series| {
                let name = format!("{}, {}, {figure}", candidate.name, measured.name);
                figures.push(Figure { name, series });
            };
            if measured.latency.count == 0 {
                // Connections were held, and nothing was asked.
                add(MEMORY, measured.series(|round| round.memory_each));
                continue;
            }
            if measured.event_delay.is_some() {
                // The direct path's is near 0: nothing to take it by.
                add(
                    "first event p50",
                    measured.series(|round| round.first_event.unwrap_or(0) as f64),
                );
                add(
                    "event delay p50",
                    measured.series(|round| round.event_delay.unwrap_or(0) as f64),
                );
            } else {
                let by_direct = |figure: fn(&Round) -> f64| {
                    ratios(&measured.series(figure), &direct.series(figure))
                };
                add("min", by_direct(|round| round.min as f64));
                add("p50", by_direct(|round| round.p50 as f64));
            }
            // By the client's, which does the same work in every run.
            add(
                "CPU of the proxy",
                measured.series(|round| round.cpu_proxy / round.cpu_client.max(1.0)),
            );
        }
    }
    figures
}

/// The ratio of the medians of two runs whose rounds do not belong together.
fn unpaired(now: &[f64], then: &[f64]) -> Option<Estimate> {
    let (now, then) = (Estimate::of(now)?, Estimate::of(then)?);
    (then.low > 0.0).then(|| Estimate {
        median: now.median / then.median,
        // Wider than need be: both may be at their ends at once.
        low: now.low / then.high,
        high: now.high / then.low,
    })
}
