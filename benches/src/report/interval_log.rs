//! Histograms as an HdrHistogram interval log, and the sum of several logs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};

use super::{Measured, Percentiles, Report};
use crate::histogram::{NoHistogram, decoded};
use crate::load::LONGEST;

impl Measured {
    /// All latencies from the intended moment, as they were measured.
    ///
    /// # Errors
    /// When `histogram` is none: the report was not written by this program.
    pub fn latencies(&self) -> Result<Histogram<u64>, NoHistogram> {
        decoded(&self.histogram)
    }

    /// All delays of events, over all rounds, in nanoseconds; `None` where there were none.
    pub(super) fn event_delays(&self) -> Option<Histogram<u64>> {
        decoded(self.event_histogram.as_deref()?).ok()
    }
}

impl Report {
    /// An HdrHistogram V2 interval log: one interval for each contender and measure, over all rounds, tagged
    /// `contender/measure` with `_` for what a tag can't hold; values in nanoseconds.
    ///
    /// # Errors
    /// [`NoHistogram`] in a report that was not written by this program.
    pub fn interval_log(&self) -> Result<Vec<u8>, NoHistogram> {
        let began = UNIX_EPOCH + Duration::from_millis(self.began_unix_ms);
        let mut intervals = Vec::new();
        for contender in &self.contenders {
            for measured in &contender.measures {
                let took = self.profile.round_ms * measured.rounds.len() as u64;
                intervals.push(Interval {
                    tag: tag(&contender.name, &measured.name),
                    histogram: Cow::Owned(measured.latencies()?),
                    took: Duration::from_millis(took),
                });
            }
        }
        let comment = "latencies from the intended moment, nanoseconds";
        written(comment, began, intervals)
    }
}

/// Logs added together, by tag; nothing is lost: a sum of histograms is the histogram of all samples.
#[derive(Debug, Default)]
pub struct Merged {
    histograms: BTreeMap<String, Histogram<u64>>,
    /// When the first of them began.
    began: Option<SystemTime>,
    logs: u64,
}

/// Why a log can't be added.
#[derive(Debug, thiserror::Error)]
pub enum Unmergeable {
    /// Not the form of such a log.
    #[error("`{file}` is no HdrHistogram interval log: line {line}")]
    NoLog {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
    },
    /// An interval's histogram can't be read.
    #[error("`{file}`, line {line}: {cause}")]
    Histogram {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
        /// Why.
        cause: NoHistogram,
    },
    /// It has no interval.
    #[error("`{file}` has no interval")]
    Empty {
        /// Which file.
        file: String,
    },
}

impl Merged {
    /// Adds a log.
    ///
    /// # Errors
    /// [`Unmergeable`]; what was added before stays.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Unmergeable> {
        let file_name = || file.to_owned();
        let mut added = 0;
        // Line by line, so that an error has a place.
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let with_end = format!("{line}\n");
            for entry in IntervalLogIterator::new(with_end.as_bytes()) {
                match entry {
                    Ok(LogEntry::Interval(interval)) => {
                        let histogram = decoded(interval.encoded_histogram()).map_err(|cause| {
                            Unmergeable::Histogram {
                                file: file_name(),
                                line: line_number,
                                cause,
                            }
                        })?;
                        let tag = interval.tag().map_or("", |tag| tag.as_str()).to_owned();
                        let sum = self.histograms.entry(tag).or_insert_with(empty);
                        // Values past the bounds of ours are as long as ours can tell.
                        if sum.add(&histogram).is_err() {
                            for value in histogram.iter_recorded() {
                                sum.saturating_record_n(
                                    value.value_iterated_to(),
                                    value.count_at_value(),
                                );
                            }
                        }
                        added += 1;
                    }
                    Ok(LogEntry::StartTime(began)) => {
                        let began = UNIX_EPOCH + began;
                        self.began = Some(self.began.map_or(began, |first| first.min(began)));
                    }
                    Ok(LogEntry::BaseTime(_)) => {}
                    Err(_) => {
                        return Err(Unmergeable::NoLog {
                            file: file_name(),
                            line: line_number,
                        });
                    }
                }
            }
        }
        if added == 0 {
            return Err(Unmergeable::Empty { file: file_name() });
        }
        self.logs += 1;
        Ok(())
    }

    /// The sum as a log of the same kind.
    ///
    /// # Errors
    /// [`NoHistogram`] when a vector takes no bytes, which does not happen.
    pub fn interval_log(&self) -> Result<Vec<u8>, NoHistogram> {
        let intervals = self.histograms.iter().map(|(tag, histogram)| Interval {
            tag: tag.clone(),
            histogram: Cow::Borrowed(histogram),
            took: Duration::ZERO,
        });
        let began = self.began.unwrap_or(UNIX_EPOCH);
        written(
            &format!("{} logs added together", self.logs),
            began,
            intervals,
        )
    }

    /// The percentiles of each tag, as a table.
    #[must_use]
    pub fn text(&self) -> String {
        let width = self.histograms.keys().map(String::len).max().unwrap_or(0);
        let mut text = format!(
            "{:width$}  {:>10}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}\n",
            "us", "requests", "min", "p50", "p90", "p99", "p99.9", "max"
        );
        for (name, histogram) in &self.histograms {
            let Percentiles {
                count,
                min,
                p50,
                p90,
                p99,
                p999,
                max,
            } = Percentiles::of(histogram);
            let micros = |nanos: u64| format!("{:.1}", nanos as f64 / 1e3);
            let carried = |nanos: Option<u64>| nanos.map_or_else(|| "-".to_owned(), micros);
            let cells = [
                micros(min),
                carried(p50),
                carried(p90),
                carried(p99),
                carried(p999),
                micros(max),
            ];
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>9}")).collect();
            writeln!(text, "{name:width$}  {count:>10}  {}", cells.join("  "))
                .expect("a string takes every line");
        }
        text
    }
}

/// One line of a log.
struct Interval<'h> {
    tag: String,
    histogram: Cow<'h, Histogram<u64>>,
    took: Duration,
}

fn written<'h>(
    comment: &str,
    began: SystemTime,
    intervals: impl IntoIterator<Item = Interval<'h>>,
) -> Result<Vec<u8>, NoHistogram> {
    let mut log = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment(comment)
        .with_start_time(began)
        .with_base_time(began)
        .with_max_value_divisor(1e6);
    let mut writer = builder
        .begin_log_with(&mut log, &mut serializer)
        .map_err(|_full| NoHistogram)?;
    for Interval {
        tag,
        histogram,
        took,
    } in intervals
    {
        writer
            .write_histogram(&histogram, Duration::ZERO, took, Tag::new(&tag))
            .map_err(|_full| NoHistogram)?;
    }
    Ok(log)
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are constants")
}

/// A tag holds neither comma nor white space.
fn tag(contender: &str, measure: &str) -> String {
    let name = format!("{contender}/{measure}");
    let kept = |letter: char| {
        if letter == ',' || letter.is_whitespace() {
            '_'
        } else {
            letter
        }
    };
    name.chars().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{QUIET, report};
    use super::*;
    use crate::load::Errors;

    #[test]
    fn two_logs_are_the_log_of_all() {
        let report = report(QUIET, 200, Errors::default());
        let log = String::from_utf8(report.interval_log().unwrap()).unwrap();
        assert!(log.contains("Tag=nginx/1_000_requests_a_second,"), "{log}");
        let mut merged = Merged::default();
        merged.add("a.hlog", &log).unwrap();
        merged.add("b.hlog", &log).unwrap();
        let sum = &merged.histograms["nginx/1_000_requests_a_second"];
        let one = report.contenders[1].measures[0].latencies().unwrap();
        let mut twice = one.clone();
        twice.add(&one).unwrap();
        assert_eq!(*sum, twice);
        // What was added can be added again.
        let written = String::from_utf8(merged.interval_log().unwrap()).unwrap();
        let mut again = Merged::default();
        again.add("all.hlog", &written).unwrap();
        assert_eq!(again.text(), merged.text());
    }

    #[test]
    fn what_is_no_log_is_told_with_its_line() {
        let mut merged = Merged::default();
        let told = |result: Result<(), Unmergeable>| result.unwrap_err().to_string();
        assert_eq!(
            told(merged.add("x", "#a comment\n{}\n")),
            "`x` is no HdrHistogram interval log: line 2"
        );
        assert_eq!(told(merged.add("x", "#a comment\n")), "`x` has no interval");
        assert_eq!(
            told(merged.add("x", "Tag=a,0.0,1.0,2.0,AAAA\n")),
            "`x`, line 1: a histogram is no HdrHistogram of version 2"
        );
    }
}
