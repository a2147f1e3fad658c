//! Several candidates beside each other: scenarios by candidates.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{level::Level, suite::SuiteResult, verdict::Verdict};

/// What came of asking one candidate.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Column {
    /// It was asked.
    Asked(Box<SuiteResult>),
    /// It could not be asked at all: the others' columns stand.
    Unasked {
        /// Its name.
        candidate: String,
        /// Why, in full.
        error: String,
    },
}

/// The columns of several runs of the same plan.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    columns: &'a [Column],
}

/// Which rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every scenario.
    All,
    /// Those that some candidate does not pass.
    Telling,
}

impl Column {
    fn name(&self) -> &str {
        match self {
            Self::Asked(result) => &result.candidate.name,
            Self::Unasked { candidate, .. } => candidate,
        }
    }

    /// The version without what a distribution adds to it: `2.6.12` of `2.6.12-1+deb12u3`.
    fn version(&self) -> &str {
        let Self::Asked(result) = self else {
            return "";
        };
        let version = &*result.candidate.version;
        match version.rsplit_once(':') {
            // Of a container's image the tag.
            Some((_, tag)) => tag,
            None => version.split(['-', '+', '~']).next().unwrap_or(version),
        }
    }

    /// The worst verdict over the protocols of a scenario; a protocol that was skipped hides none that was asked.
    fn worst(&self, id: &str) -> Option<Verdict> {
        let Self::Asked(result) = self else {
            return None;
        };
        let of_scenario = result.scenarios.iter().filter(|outcome| outcome.id == id);
        let verdicts = of_scenario.map(|outcome| outcome.verdict);
        verdicts.max_by_key(|verdict| match verdict {
            Verdict::Skipped => 0,
            Verdict::Pass => 1,
            Verdict::Known => 2,
            Verdict::Broken => 3,
            Verdict::Fail => 4,
        })
    }
}

impl<'a> Matrix<'a> {
    /// The table of these columns.
    #[must_use]
    pub const fn of(columns: &'a [Column]) -> Self {
        Self { columns }
    }

    /// The table for a terminal, 100 columns wide for six candidates, and what it leaves out.
    #[must_use]
    pub fn text(&self, rows: Rows) -> String {
        let mut table = self.head();
        let mut topic = String::new();
        for (id, level, verdicts) in self.body(rows) {
            let (of, name) = id.split_once('/').unwrap_or(("", &id));
            if of != topic {
                of.clone_into(&mut topic);
                table.push(vec![topic.clone()]);
            }
            let mut row = vec![format!("  {name}"), short(level).to_owned()];
            row.extend(verdicts.into_iter().map(word));
            table.push(row);
        }
        table.extend(self.foot());
        let width = |column: usize| {
            let cells = table.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..2 + self.columns.len()).map(width).collect();
        let mut text = String::new();
        for row in &table {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text + &self.left_out(rows) + &self.unasked()
    }

    /// The same as a table of GitHub's Markdown.
    #[must_use]
    pub fn markdown(&self, rows: Rows) -> String {
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = format!("|{}\n", " --- |".repeat(2 + self.columns.len()));
        let mut head = self.head().into_iter();
        let mut text = head.next().as_ref().map(line).unwrap_or_default() + &rule;
        let body = self.body(rows).into_iter().map(|(id, level, verdicts)| {
            let mut row = vec![id, level.name().to_owned()];
            row.extend(verdicts.into_iter().map(word));
            row
        });
        for row in head.chain(body).chain(self.foot()) {
            text.push_str(&line(&row));
        }
        text + &self.left_out(rows) + &self.unasked()
    }

    fn head(&self) -> Vec<Vec<String>> {
        let columns = || self.columns.iter();
        vec![
            row("", columns().map(|column| column.name().to_owned())),
            row("", columns().map(|column| column.version().to_owned())),
        ]
    }

    fn body(&self, rows: Rows) -> Vec<(String, Level, Vec<Option<Verdict>>)> {
        let verdicts = |(id, level): (String, Level)| {
            let verdicts = self.columns.iter().map(|column| column.worst(&id));
            let verdicts: Vec<Option<Verdict>> = verdicts.collect();
            (id, level, verdicts)
        };
        let shown = |(_, _, verdicts): &(String, Level, Vec<Option<Verdict>>)| {
            rows == Rows::All || !passes_everywhere(verdicts)
        };
        let all = self.scenarios().into_iter().map(verdicts);
        all.filter(shown).collect()
    }

    /// How many of each kind; what nobody has is not there, failures apart.
    fn foot(&self) -> Vec<Vec<String>> {
        let scenarios = self.scenarios();
        let count = |column: &Column, verdict: Verdict, level: Option<Level>| {
            let of_level = scenarios
                .iter()
                .filter(|(_, other)| level.is_none_or(|level| level == *other));
            of_level
                .filter(|(id, _)| column.worst(id) == Some(verdict))
                .count()
        };
        let stale = |column: &Column| match column {
            Column::Asked(result) => result.stale_gaps.len(),
            Column::Unasked { .. } => 0,
        };
        let counted = |title: &str, how: &dyn Fn(&Column) -> usize| {
            let cell = |column: &Column| match column {
                Column::Asked(_) => how(column).to_string(),
                Column::Unasked { .. } => UNASKED.to_owned(),
            };
            row(title, self.columns.iter().map(cell))
        };
        let mut foot = vec![
            counted("required failed", &|column| {
                count(column, Verdict::Fail, Some(Level::Required))
            }),
            counted("recommended failed", &|column| {
                count(column, Verdict::Fail, Some(Level::Recommended))
            }),
        ];
        let broken = |column: &Column| count(column, Verdict::Broken, None);
        for (title, how) in [
            ("broken", &broken as &dyn Fn(&Column) -> usize),
            ("stale known gaps", &stale),
        ] {
            if self.columns.iter().any(|column| how(column) > 0) {
                foot.push(counted(title, how));
            }
        }
        foot
    }

    fn left_out(&self, rows: Rows) -> String {
        let everywhere = self.body(Rows::All).into_iter();
        let passing = everywhere.filter(|(_, _, verdicts)| passes_everywhere(verdicts));
        match passing.count() {
            0 => String::new(),
            _ if rows == Rows::All => String::new(),
            1 => "\n1 scenario passes everywhere; --verbose shows it\n".to_owned(),
            many => format!("\n{many} scenarios pass everywhere; --verbose shows them\n"),
        }
    }

    fn unasked(&self) -> String {
        let told = |column: &Column| match column {
            Column::Asked(_) => None,
            Column::Unasked { candidate, error } => {
                Some(format!("\n{candidate} could not be asked: {error}\n"))
            }
        };
        self.columns.iter().filter_map(told).collect()
    }

    /// Every scenario that somebody was asked, in report order.
    fn scenarios(&self) -> Vec<(String, Level)> {
        let mut order: Vec<(String, Level)> = Vec::new();
        let mut seen = BTreeSet::new();
        let results = self.columns.iter().filter_map(|column| match column {
            Column::Asked(result) => Some(&result.scenarios),
            Column::Unasked { .. } => None,
        });
        for outcome in results.flatten() {
            if seen.insert(outcome.id.clone()) {
                order.push((outcome.id.clone(), outcome.level));
            }
        }
        order
    }
}

fn row(first: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    let mut row = vec![first.to_owned(), String::new()];
    row.extend(cells);
    row
}

fn passes_everywhere(verdicts: &[Option<Verdict>]) -> bool {
    let asked = || verdicts.iter().flatten();
    asked().count() > 0 && asked().all(|verdict| *verdict == Verdict::Pass)
}

/// A level in the width of a table.
const fn short(level: Level) -> &'static str {
    match level {
        Level::Required => "req",
        Level::Recommended => "rec",
        Level::Observed => "obs",
    }
}

/// Words, not colours or marks alone: a failure has to be seen in any terminal.
fn word(verdict: Option<Verdict>) -> String {
    match verdict {
        Some(Verdict::Fail) => "FAIL".to_owned(),
        Some(verdict) => verdict.to_string(),
        None => UNASKED.to_owned(),
    }
}

const UNASKED: &str = "-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_could_not_be_asked_leaves_the_others() {
        let columns = [Column::Unasked {
            candidate: "nginx".to_owned(),
            error: "it refused".to_owned(),
        }];
        let text = Matrix::of(&columns).text(Rows::Telling);
        assert!(
            text.ends_with("\nnginx could not be asked: it refused\n"),
            "{text}"
        );
        assert!(text.contains("required failed"), "{text}");
    }
}
