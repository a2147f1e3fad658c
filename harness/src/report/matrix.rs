//! Several candidates beside each other: scenarios by candidates.

use std::collections::BTreeMap;

use crate::{level::Level, suite::SuiteResult, verdict::Verdict};

/// The results of several runs of the same plan.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    results: &'a [SuiteResult],
}

/// Which rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every scenario.
    All,
    /// Those that some candidate does not pass.
    Telling,
}

impl<'a> Matrix<'a> {
    /// A column for each result.
    #[must_use]
    pub const fn of(results: &'a [SuiteResult]) -> Self {
        Self { results }
    }

    /// The table for a terminal, 100 columns wide for six candidates, and what it leaves out.
    #[must_use]
    pub fn text(&self, rows: Rows) -> String {
        let table = self.table(rows);
        let columns = 2 + self.results.len();
        let width = |column: usize| {
            let cells = table.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &table {
            let cells = row.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text.push_str(&self.left_out(rows));
        text
    }

    /// The same as a table of GitHub's Markdown.
    #[must_use]
    pub fn markdown(&self, rows: Rows) -> String {
        let table = self.table(rows);
        let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
        let rule = format!("|{}\n", " --- |".repeat(2 + self.results.len()));
        let mut lines = table.iter().map(line);
        let head = lines.next().unwrap_or_default();
        let left_out = self.left_out(rows);
        format!("{head}{rule}{}{left_out}", lines.collect::<String>())
    }

    fn table(&self, rows: Rows) -> Vec<Vec<String>> {
        let names = self.results.iter().map(|result| &result.candidate);
        let head = |first: &str, cells: Vec<String>| {
            let mut row = vec![first.to_owned(), String::new()];
            row.extend(cells);
            row
        };
        let mut table = vec![
            head(
                "",
                names
                    .clone()
                    .map(|candidate| candidate.name.clone())
                    .collect(),
            ),
            head(
                "",
                names.map(|candidate| candidate.version.clone()).collect(),
            ),
        ];
        for (id, level) in self.scenarios() {
            let verdicts = self.results.iter().map(|result| worst(result, &id));
            let verdicts: Vec<Option<Verdict>> = verdicts.collect();
            if rows == Rows::All || !verdicts.iter().all(|one| *one == Some(Verdict::Pass)) {
                let mut row = vec![id, level.name().to_owned()];
                row.extend(verdicts.into_iter().map(word));
                table.push(row);
            }
        }
        for level in [Level::Required, Level::Recommended] {
            let failed = |result: &SuiteResult| {
                let scenarios = self.scenarios();
                let of_level = scenarios.iter().filter(|(_, other)| *other == level);
                let failed = of_level.filter(|(id, _)| worst(result, id) == Some(Verdict::Fail));
                failed.count().to_string()
            };
            let counts = self.results.iter().map(failed).collect();
            table.push(head(&format!("{} failed", level.name()), counts));
        }
        table
    }

    fn left_out(&self, rows: Rows) -> String {
        let passing = self.scenarios().into_iter().filter(|(id, _)| {
            let mut verdicts = self.results.iter().map(|result| worst(result, id));
            verdicts.all(|verdict| verdict == Some(Verdict::Pass))
        });
        match passing.count() {
            0 => String::new(),
            _ if rows == Rows::All => String::new(),
            1 => "\n1 scenario passes everywhere; --verbose shows it\n".to_owned(),
            many => format!("\n{many} scenarios pass everywhere; --verbose shows them\n"),
        }
    }

    /// Every scenario that somebody was asked, in report order.
    fn scenarios(&self) -> Vec<(String, Level)> {
        let mut order: Vec<(String, Level)> = Vec::new();
        let mut seen = BTreeMap::new();
        for outcome in self.results.iter().flat_map(|result| &result.scenarios) {
            if seen.insert(outcome.id.clone(), ()).is_none() {
                order.push((outcome.id.clone(), outcome.level));
            }
        }
        order
    }
}

/// The worst verdict over the protocols of a scenario; a protocol that was skipped hides none that was asked.
fn worst(result: &SuiteResult, id: &str) -> Option<Verdict> {
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

/// Words, not colours or marks alone: a failure has to be seen in any terminal.
fn word(verdict: Option<Verdict>) -> String {
    match verdict {
        Some(Verdict::Fail) => "FAIL".to_owned(),
        Some(verdict) => verdict.to_string(),
        None => "not asked".to_owned(),
    }
}
