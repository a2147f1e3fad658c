//! One finding, as a reader needs it.

use super::{
    exhibit::{self, StartLine},
    frame::frame,
    styles::{Styles, paint},
};
use crate::{
    blame::Blame,
    finding::{Exhibit, Finding},
};

/// A finding in plain text without width limit, for reports that are no terminal.
pub(crate) fn finding_text(finding: &Finding) -> String {
    let view = FindingView {
        styles: &Styles::default(),
        width: None,
        timeline: Timeline::Shown,
    };
    let mut lines = view.lines(finding, &[], HintView::Whole);
    lines.push(String::new());
    lines.push(format!("rerun: {}", finding.rerun));
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// Whether the moments of both ends are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeline {
    Shown,
    Hidden,
}

/// How much of a hint is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HintView<'a> {
    /// The frame around the directive.
    Whole,
    /// A reference to the scenario where the same hint was drawn.
    SameAs(&'a str),
}

/// How a finding is written.
pub(crate) struct FindingView<'a> {
    pub(crate) styles: &'a Styles,
    /// In columns; `None` breaks no line.
    pub(crate) width: Option<usize>,
    pub(crate) timeline: Timeline,
}

impl FindingView<'_> {
    /// `alike` are findings of the same kind about other rows of a table.
    pub(crate) fn lines(
        &self,
        finding: &Finding,
        alike: &[&Finding],
        hint: HintView<'_>,
    ) -> Vec<String> {
        let message = sentence(&finding.message, finding.subject.as_deref());
        let mut lines = self.prose(&message, "  ");
        lines.push(String::new());
        lines.extend(self.facts(finding));
        lines.extend(also(alike));
        if !finding.why.is_empty() {
            lines.push(String::new());
            lines.extend(self.prose(&sentence(&finding.why, None), "  "));
        }
        lines.extend(self.hint(finding, hint));
        lines
    }

    fn facts(&self, finding: &Finding) -> Vec<String> {
        let mut lines = self.exhibits(finding);
        lines.extend(self.row("expected", &finding.expected));
        lines.extend(self.row("observed", &finding.observed));
        if finding.blame != Blame::Candidate {
            let blame = format!("{}: {}", finding.blame, finding.blame_reason);
            lines.extend(self.row("blame", &blame));
        }
        if self.timeline == Timeline::Shown {
            lines.extend(timeline(finding));
        }
        lines
    }

    fn hint(&self, finding: &Finding, view: HintView<'_>) -> Vec<String> {
        let Some(hint) = &finding.hint else {
            return Vec::new();
        };
        let lines = match view {
            HintView::Whole => frame(hint, self.styles),
            HintView::SameAs(scenario) => {
                let address = paint(self.styles.path, hint.address());
                vec![format!(" ╰─ {address}: the change shown for {scenario}")]
            }
        };
        let indented = lines.into_iter().map(|line| format!("  {line}"));
        std::iter::once(String::new()).chain(indented).collect()
    }

    fn exhibits(&self, finding: &Finding) -> Vec<String> {
        let focus = &finding.focus;
        let mut lines = Vec::new();
        if let Some(sent) = &finding.sent {
            lines.extend(self.exhibit("sent", sent, focus, StartLine::Shown));
        }
        for arrived in &finding.arrived {
            lines.extend(self.exhibit("arrived", arrived, focus, StartLine::Spare));
        }
        if finding.arrived.is_empty() && finding.sent.is_some() {
            lines.extend(self.row("arrived", "nothing"));
        }
        if let Some(answered) = &finding.answered {
            lines.extend(self.exhibit("answered", answered, focus, StartLine::Shown));
        }
        lines
    }

    fn exhibit(
        &self,
        label: &str,
        exhibit: &Exhibit,
        focus: &[String],
        start_line: StartLine,
    ) -> Vec<String> {
        let mut shown = exhibit::lines(exhibit, focus, start_line);
        if let Some(first) = shown.first_mut().filter(|_| !exhibit.place.is_empty()) {
            *first = format!("{first}    {}", paint(self.styles.quiet, &exhibit.place));
        }
        labelled(label, shown)
    }

    fn row(&self, label: &str, text: &str) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        let lines = text
            .lines()
            .flat_map(|line| self.wrapped(line, LABEL_WIDTH + 4));
        labelled(label, lines.collect())
    }

    fn prose(&self, text: &str, indent: &str) -> Vec<String> {
        self.wrapped(text, indent.len())
            .into_iter()
            .map(|line| format!("{indent}{line}"))
            .collect()
    }

    fn wrapped(&self, text: &str, indent: usize) -> Vec<String> {
        match self.width {
            Some(width) => {
                let options =
                    textwrap::Options::new(width.saturating_sub(indent).max(20)).break_words(false);
                textwrap::wrap(text, options)
                    .into_iter()
                    .map(std::borrow::Cow::into_owned)
                    .collect()
            }
            None => vec![text.to_owned()],
        }
    }
}

fn labelled(label: &str, lines: Vec<String>) -> Vec<String> {
    let margins = std::iter::once(label).chain(std::iter::repeat(""));
    lines
        .iter()
        .zip(margins)
        .map(|(line, label)| format!("    {label:LABEL_WIDTH$}{line}"))
        .collect()
}

fn timeline(finding: &Finding) -> Vec<String> {
    let entries = finding.evidence.iter().map(|entry| {
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds of one scenario are far below 2^52"
        )]
        let milliseconds = entry.at_us as f64 / 1000.0;
        format!("{milliseconds:>9.3} ms  {:<9}  {}", entry.who, entry.what)
    });
    labelled("timeline", entries.collect())
}

fn sentence(message: &str, subject: Option<&str>) -> String {
    let mut text = full_stop(message);
    if let Some(first) = text.get(..1) {
        let upper = first.to_ascii_uppercase();
        text.replace_range(..1, &upper);
    }
    match subject {
        Some(subject) => format!("{} ({subject})", text.trim_end_matches('.')),
        None => text,
    }
}

fn full_stop(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

fn also(alike: &[&Finding]) -> Vec<String> {
    let mut rows: Vec<String> = alike
        .iter()
        .take(MOST_ALIKE)
        .map(|finding| row_of_table(finding))
        .collect();
    if alike.len() > MOST_ALIKE {
        rows.push(format!(
            "… {} more, all of them in --json",
            alike.len() - MOST_ALIKE
        ));
    }
    labelled("also", rows)
}

fn row_of_table(finding: &Finding) -> String {
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    format!(
        "{}: expected {}, observed {}",
        finding.subject.as_deref().unwrap_or_default(),
        first_line(&finding.expected),
        first_line(&finding.observed)
    )
}

/// More rows of one table than this tell nothing new.
const MOST_ALIKE: usize = 5;
/// `expected` and two spaces.
const LABEL_WIDTH: usize = 10;
