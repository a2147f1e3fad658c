//! A head as evidence: the lines of it that matter.

use crate::finding::Exhibit;

/// A head that nobody asked to shorten is shown up to here.
const MOST_LINES: usize = 12;

/// Which part of a head is shown besides the fields in focus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartLine {
    /// Always.
    Shown,
    /// Only where no field in focus is there.
    Spare,
}

/// The lines of a head to show: all of them, or the start line and the fields in focus.
pub(crate) fn lines(exhibit: &Exhibit, focus: &[String], start_line: StartLine) -> Vec<String> {
    let mut all = exhibit.text.lines().filter(|line| !line.is_empty());
    if focus.is_empty() {
        let count = all.clone().count();
        let mut shown: Vec<String> = all.take(MOST_LINES).map(str::to_owned).collect();
        if count > MOST_LINES {
            shown.push(format!("… {} more lines", count - MOST_LINES));
        }
        return shown;
    }
    let first = all.next().unwrap_or_default();
    let fields: Vec<&str> = all.filter(|line| in_focus(line, focus)).collect();
    let start = (start_line == StartLine::Shown || fields.is_empty()).then_some(first);
    start.into_iter().chain(fields).map(str::to_owned).collect()
}

fn in_focus(line: &str, focus: &[String]) -> bool {
    // HTTP/2 pseudo-header fields begin with a colon.
    let name_end = line
        .char_indices()
        .skip(1)
        .find(|(_, c)| *c == ':')
        .map_or(line.len(), |(at, _)| at);
    focus
        .iter()
        .any(|name| name.eq_ignore_ascii_case(line[..name_end].trim()))
}
