//! The blocks about scenarios that did not pass.

use super::{
    finding::{FindingView, HintView, Timeline},
    page::{Detail, Terminal},
    styles::paint,
};
use crate::{
    finding::Finding,
    hint::Hint,
    report::standing::{Standing, protocols},
    suite::Outcome,
    verdict::Verdict,
};

/// Writes the blocks, and remembers what was drawn, so that nothing is drawn twice.
pub(super) struct Trouble<'a> {
    terminal: &'a Terminal,
    /// What asks everything again.
    command: &'a str,
    /// Hints, with the scenario that each was drawn for.
    drawn: Vec<(&'a Hint, &'a str)>,
}

impl<'a> Trouble<'a> {
    pub(super) fn new(terminal: &'a Terminal, command: &'a str) -> Self {
        Self {
            terminal,
            command,
            drawn: Vec::new(),
        }
    }

    pub(super) fn blocks(mut self, standings: &[Standing<'a>]) -> Vec<Vec<String>> {
        let mut blocks = Vec::new();
        for standing in standings {
            let (failed, broken) = (standing.with(Verdict::Fail), standing.with(Verdict::Broken));
            if !failed.is_empty() {
                let lines = self.findings(standing.id, &failed);
                blocks.push(self.block("✗", Verdict::Fail, standing, &failed, lines));
            }
            if !broken.is_empty() {
                let reason = broken[0].reason.as_deref().unwrap_or_default();
                let lines = reason.lines().map(|line| format!("  {line}")).collect();
                blocks.push(self.block("!", Verdict::Broken, standing, &broken, lines));
            }
        }
        blocks
    }

    fn block(
        &self,
        mark: &str,
        verdict: Verdict,
        standing: &Standing<'_>,
        outcomes: &[&Outcome],
        lines: Vec<String>,
    ) -> Vec<String> {
        let styles = &self.terminal.styles;
        let mark = paint(self.terminal.style(verdict), mark);
        let mut block = vec![self.title(&mark, standing, outcomes)];
        block.extend(lines);
        block.push(String::new());
        let rerun = format!("{} -f {}", self.command, standing.id);
        block.push(format!("  {} {rerun}", paint(styles.quiet, "rerun:")));
        block
    }

    fn title(&self, mark: &str, standing: &Standing<'_>, outcomes: &[&Outcome]) -> String {
        let unstable = outcomes.iter().any(|outcome| !outcome.unstable.is_empty());
        let right = format!(
            "{} · {}{}",
            standing.level,
            protocols(outcomes),
            if unstable { " · unstable" } else { "" }
        );
        let taken = 2 + standing.id.chars().count() + right.chars().count();
        let gap = self
            .terminal
            .width
            .map_or(2, |width| width.saturating_sub(taken).max(2));
        let styles = &self.terminal.styles;
        let id = paint(styles.path, standing.id);
        format!(
            "{mark} {id}{}{}",
            " ".repeat(gap),
            paint(styles.quiet, right)
        )
    }

    /// Each kind of finding in full once, with the other rows of its table below the first.
    fn findings(&mut self, id: &'a str, failed: &[&'a Outcome]) -> Vec<String> {
        let view = FindingView {
            styles: &self.terminal.styles,
            width: self.terminal.width,
            timeline: match self.terminal.detail {
                Detail::Verbose => Timeline::Shown,
                Detail::Usual | Detail::Quiet => Timeline::Hidden,
            },
        };
        let mut lines = Vec::new();
        for (first, alike) in kinds(failed) {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(view.lines(first, &alike, self.hint(first, id)));
        }
        lines
    }

    fn hint(&mut self, finding: &'a Finding, scenario: &'a str) -> HintView<'a> {
        let Some(hint) = &finding.hint else {
            return HintView::Whole;
        };
        match self.drawn.iter().find(|(drawn, _)| *drawn == hint) {
            Some((_, first)) => HintView::SameAs(first),
            None => {
                self.drawn.push((hint, scenario));
                HintView::Whole
            }
        }
    }
}

/// The first finding of each code, with those of the same code that are about something else.
fn kinds<'a>(failed: &[&'a Outcome]) -> Vec<(&'a Finding, Vec<&'a Finding>)> {
    let mut kinds: Vec<(&Finding, Vec<&Finding>)> = Vec::new();
    for finding in failed.iter().flat_map(|outcome| &outcome.findings) {
        match kinds
            .iter_mut()
            .find(|(first, _)| first.code == finding.code)
        {
            None => kinds.push((finding, Vec::new())),
            Some((first, alike)) => {
                let told = |other: &&Finding| other.subject == finding.subject;
                if !told(first) && !alike.iter().any(told) {
                    alike.push(finding);
                }
            }
        }
    }
    kinds
}
