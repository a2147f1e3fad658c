//! How figures grow over the measures of a sweep.

use super::{Measured, Report, Round};
use crate::estimate::median_of;
use crate::profile::{Ask, Measure};
use crate::sweep;

/// One figure: its name and those of the contenders, then a row for each measure.
pub(super) type Growth = Vec<Vec<String>>;

impl Report {
    /// A table for each figure; none for a benchmark that is no sweep.
    pub(super) fn growth(&self) -> Vec<Growth> {
        if !sweep::is_one(&self.profile) {
            return Vec::new();
        }
        let some = |wanted: fn(&Measure) -> bool| self.profile.measures.iter().any(wanted);
        let mut tables = Vec::new();
        if some(|measure| measure.ask.holds()) {
            tables.push(self.figure("MiB per 1 000", |one| {
                median(one, |round| round.memory_each) * 1000.0 / f64::from(1 << 20)
            }));
        } else if some(|measure| measure.ask == Ask::Events) {
            tables.push(self.figure("event delay p50 us", |one| {
                median(one, |round| round.event_delay.unwrap_or(0) as f64) / 1000.0
            }));
            tables.push(self.figure("CPU us of the proxy a stream", cpu));
        } else {
            tables.push(self.figure("p50 us", |one| {
                median(one, |round| round.p50 as f64) / 1000.0
            }));
            tables.push(self.figure("CPU us of the proxy", cpu));
        }
        tables
    }

    fn figure(&self, name: &str, of: impl Fn(&Measured) -> f64) -> Growth {
        let names = self
            .contenders
            .iter()
            .map(|contender| contender.name.clone());
        let mut rows: Growth = vec![std::iter::once(name.to_owned()).chain(names).collect()];
        for (index, measure) in self.profile.measures.iter().enumerate() {
            let figures = self
                .contenders
                .iter()
                .map(|contender| format!("{:.1}", of(&contender.measures[index])));
            rows.push(
                std::iter::once(measure.name.clone())
                    .chain(figures)
                    .collect(),
            );
        }
        rows
    }
}

fn median(measured: &Measured, figure: fn(&Round) -> f64) -> f64 {
    median_of(measured.series(figure)).unwrap_or(0.0)
}

fn cpu(measured: &Measured) -> f64 {
    median(measured, |round| round.cpu_proxy) / 1000.0
}
