//! The last lines: the verdict, what to change, how to repeat.

use super::{page::Terminal, styles::paint};
use crate::{
    level::Level,
    report::{change::Change, standing::Standing},
    suite::SuiteResult,
    verdict::Verdict,
};

impl Terminal {
    /// The closing line of each site, below the reports of several; empty where there is one.
    pub fn sites(&self, results: &[SuiteResult]) -> String {
        if results.len() < 2 {
            return String::new();
        }
        let hosts = results.iter().map(|result| result.deployment.len());
        let width = hosts.max().unwrap_or(0);
        let line = |result: &SuiteResult| {
            let closing = self.closing_line(result, &Standing::all(result));
            format!("  {:width$}  {closing}\n", result.deployment)
        };
        let lines: String = results.iter().map(line).collect();
        format!("\n{} sites:\n{lines}", results.len())
    }

    pub(super) fn summary(&self, result: &SuiteResult, standings: &[Standing<'_>]) -> Vec<String> {
        let mut lines = vec![self.closing_line(result, standings)];
        lines.extend(self.changes(&Change::all(standings)));
        lines
    }

    fn closing_line(&self, result: &SuiteResult, standings: &[Standing<'_>]) -> String {
        let failures: Vec<String> = failed(standings)
            .filter(|(_, level)| *level <= self.fail_on)
            .map(|(count, level)| format!("{count} {level}"))
            .collect();
        let of = if failures.is_empty() { "" } else { " of " };
        let told = format!(
            "{}  {}{of}{} in {}{}",
            self.word(result, standings),
            failures.join(", "),
            scenarios(standings.len()),
            seconds(result.duration_ms),
            rounds(result.rounds)
        );
        let tolerated = failed(standings).filter(|(_, level)| *level > self.fail_on);
        let tolerated = tolerated.map(|(count, level)| format!("{count} {level} failed"));
        std::iter::once(told)
            .chain(tolerated)
            .chain(asides(result, standings))
            .collect::<Vec<_>>()
            .join(" · ")
    }

    fn word(&self, result: &SuiteResult, standings: &[Standing<'_>]) -> String {
        let worst = |verdict| {
            standings
                .iter()
                .any(|standing| standing.verdict() == verdict)
        };
        let counts = |s: &Standing<'_>| s.verdict() == Verdict::Fail && s.level <= self.fail_on;
        if result.interrupted {
            paint(self.styles.broken, "STOPPED")
        } else if standings.iter().any(counts) || result.summary.unstable > 0 {
            paint(self.styles.fail, "FAILED")
        } else if worst(Verdict::Broken) {
            paint(self.styles.broken, "BROKEN")
        } else if result.summary.asked_nothing() {
            paint(self.styles.broken, "NOTHING ASKED")
        } else if !result.stale_gaps.is_empty() {
            paint(self.styles.known, "STALE")
        } else {
            paint(self.styles.pass, "PASSED")
        }
    }

    fn changes(&self, changes: &[Change<'_>]) -> Vec<String> {
        let widest =
            |length: fn(&Change<'_>) -> usize| changes.iter().map(length).max().unwrap_or(0);
        let address_width = widest(|change| change.address.chars().count());
        let because_width = widest(|change| change.because.chars().count()).min(WIDEST_COLUMN);
        let number_width = changes.len().to_string().len();
        changes
            .iter()
            .enumerate()
            .map(|(index, change)| {
                let more = match change.scenarios.len() {
                    1 => String::new(),
                    count => format!("  (+{} more)", count - 1),
                };
                let address = format!("{:address_width$}", change.address);
                format!(
                    "  {:>number_width$}  {}  {:because_width$}  {}{more}",
                    index + 1,
                    paint(self.styles.path, address),
                    change.because,
                    change.scenarios[0]
                )
            })
            .collect()
    }
}

/// How many scenarios of which level failed, without those of which none did.
fn failed(standings: &[Standing<'_>]) -> impl Iterator<Item = (usize, Level)> {
    let at = |level| {
        let of_level = standings.iter().filter(|standing| standing.level == level);
        of_level
            .filter(|standing| standing.verdict() == Verdict::Fail)
            .count()
    };
    let counts = [Level::Required, Level::Recommended].map(|level| (at(level), level));
    counts.into_iter().filter(|(count, _)| *count > 0)
}

/// What else the reader should know, in a few words each.
fn asides(result: &SuiteResult, standings: &[Standing<'_>]) -> Vec<String> {
    let with = |verdict| {
        standings
            .iter()
            .filter(|standing| standing.verdict() == verdict)
            .count()
    };
    let changed = |standing: &&Standing<'_>| {
        standing
            .outcomes
            .iter()
            .any(|outcome| !outcome.unstable.is_empty())
    };
    [
        (with(Verdict::Broken), "broken"),
        (standings.iter().filter(changed).count(), "unstable"),
        (result.stale_gaps.len(), "stale in the list of known gaps"),
        (with(Verdict::Known), "known"),
        (with(Verdict::Skipped), "skipped"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect()
}

pub(super) fn scenarios(count: usize) -> String {
    format!("{count} scenario{}", if count == 1 { "" } else { "s" })
}

fn seconds(milliseconds: u64) -> String {
    // Tenths: more digits would differ from run to run and tell nobody anything.
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

fn rounds(rounds: u32) -> String {
    if rounds == 1 {
        String::new()
    } else {
        format!(", {rounds} rounds")
    }
}

/// What is longer pushes its own line out, not every other one.
const WIDEST_COLUMN: usize = 72;
