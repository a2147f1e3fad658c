//! The whole report, top to bottom.

use super::{
    styles::{Styles, paint},
    summary::scenarios,
    trouble::Trouble,
};
use crate::{
    level::Level,
    report::standing::{Standing, protocols},
    suite::{Outcome, SuiteResult},
    verdict::Verdict,
};

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The closing summary alone.
    Quiet,
    /// One line a topic, every failure, the closing summary.
    #[default]
    Usual,
    /// Besides, one line for each scenario and protocol, and the timeline of each finding.
    Verbose,
}

/// Writes a result for people.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// How each role looks.
    pub styles: Styles,
    /// In columns; `None`, for what is no terminal, breaks and aligns nothing by width.
    pub width: Option<usize>,
    /// How much is told.
    pub detail: Detail,
    /// From which level on a failure makes the run fail.
    pub fail_on: Level,
}

impl Default for Terminal {
    fn default() -> Self {
        Self {
            styles: Styles::default(),
            width: None,
            detail: Detail::default(),
            fail_on: Level::Required,
        }
    }
}

impl Terminal {
    /// The report, ending with a line feed.
    pub fn render(&self, result: &SuiteResult) -> String {
        let standings = Standing::all(result);
        let mut blocks = Vec::new();
        if self.detail != Detail::Quiet {
            let site = result.site.iter().map(|line| format!("  {line}"));
            let header = std::iter::once(header(result, &standings));
            blocks.push(header.chain(site).collect());
            blocks.push(self.topics(&standings));
        }
        if self.detail == Detail::Verbose {
            blocks.push(
                result
                    .scenarios
                    .iter()
                    .map(|outcome| self.verdict_line(outcome))
                    .collect(),
            );
        }
        if self.detail != Detail::Quiet {
            blocks.extend(Trouble::new(self, &result.command).blocks(&standings));
            blocks.push(self.notes(result, &standings));
        }
        blocks.push(self.summary(result, &standings));
        blocks.retain(|block| !block.is_empty());
        let texts: Vec<String> = blocks.iter().map(|block| block.join("\n")).collect();
        texts.join("\n\n") + "\n"
    }

    pub(super) fn style(&self, verdict: Verdict) -> anstyle::Style {
        match verdict {
            Verdict::Pass => self.styles.pass,
            Verdict::Fail => self.styles.fail,
            Verdict::Known => self.styles.known,
            Verdict::Skipped => self.styles.skip,
            Verdict::Broken => self.styles.broken,
        }
    }

    fn topics(&self, standings: &[Standing<'_>]) -> Vec<String> {
        let mut topics: Vec<&str> = standings.iter().map(Standing::topic).collect();
        topics.dedup();
        let name_width = topics.iter().map(|topic| topic.len()).max().unwrap_or(0);
        let line = |topic: &str| {
            let of_topic = standings
                .iter()
                .filter(|standing| standing.topic() == topic);
            format!("  {topic:name_width$}{}", self.counts(of_topic))
        };
        topics.into_iter().map(line).collect()
    }

    fn counts<'a>(&self, standings: impl Iterator<Item = &'a Standing<'a>>) -> String {
        let verdicts: Vec<Verdict> = standings.map(Standing::verdict).collect();
        let count = |verdict| verdicts.iter().filter(|other| **other == verdict).count();
        [
            (Verdict::Pass, "passed"),
            (Verdict::Fail, "failed"),
            (Verdict::Broken, "broken"),
            (Verdict::Known, "known"),
            (Verdict::Skipped, "skipped"),
        ]
        .into_iter()
        .map(|(verdict, word)| (verdict, word, count(verdict)))
        .filter(|(verdict, _, count)| *count > 0 || *verdict == Verdict::Pass)
        .map(|(verdict, word, count)| paint(self.style(verdict), format!("{count:>5} {word}")))
        .collect()
    }

    /// One greppable line.
    fn verdict_line(&self, outcome: &Outcome) -> String {
        let verdict = paint(
            self.style(outcome.verdict),
            format!("{:7}", outcome.verdict),
        );
        let mut parts = vec![verdict, format!("{}@{}", outcome.id, outcome.protocol)];
        parts.extend(
            outcome
                .reason
                .as_deref()
                .map(|reason| first_line(reason).to_owned()),
        );
        parts.extend(
            outcome
                .records
                .iter()
                .map(|(key, value)| format!("{key}={value}")),
        );
        parts.join("  ")
    }
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn header(result: &SuiteResult, standings: &[Standing<'_>]) -> String {
    let candidate = &result.candidate;
    let name = [candidate.name.as_str(), candidate.version.as_str()].join(" ");
    format!(
        "{} ({}) · deployment {} · {} on {}",
        name.trim_end(),
        candidate.launch,
        result.deployment,
        scenarios(standings.len()),
        asked_on(result).replace(' ', ", ")
    )
}

/// The protocols on which anything was asked; all of the run's where nothing was.
fn asked_on(result: &SuiteResult) -> String {
    let all: Vec<&Outcome> = result.scenarios.iter().collect();
    let is_asked = |outcome: &&&Outcome| outcome.verdict != Verdict::Skipped;
    let asked: Vec<&Outcome> = all.iter().filter(is_asked).copied().collect();
    protocols(if asked.is_empty() { &all } else { &asked })
}
