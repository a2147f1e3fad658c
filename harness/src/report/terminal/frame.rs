//! A hint, drawn into the lines of the user's own file.

use super::styles::{Styles, paint};
use crate::hint::{Hint, Place};

/// The frame around the directive, or the change alone where there is no directive to show.
pub(crate) fn frame(hint: &Hint, styles: &Styles) -> Vec<String> {
    match &hint.place {
        Some(place) => located(hint, place, styles),
        None => unlocated(hint, styles),
    }
}

fn located(hint: &Hint, place: &Place, styles: &Styles) -> Vec<String> {
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let indent = place
        .source
        .chars()
        .take_while(|c| c.is_whitespace())
        .count();
    let source = place.source.trim();
    let before = " ".repeat(place.column.saturating_sub(indent + 1));
    let (left, right) = underline(place.width);
    let mut lines = vec![
        format!(" {margin} ╭─ {}", paint(styles.path, hint.address())),
        format!(" {number} │ {source}"),
        format!(
            " {margin} · {before}{}",
            paint(styles.fail, format!("{left}┬{right}"))
        ),
        format!(
            " {margin} · {before}{}{} {}",
            " ".repeat(left.chars().count()),
            paint(styles.fail, "╰─"),
            hint.because
        ),
    ];
    let verb = if hint.within {
        "add in it"
    } else {
        "change to"
    };
    lines.extend(change(&format!(" {margin} ╰─ {verb}:"), hint, styles));
    lines
}

fn unlocated(hint: &Hint, styles: &Styles) -> Vec<String> {
    let lead = if hint.file.is_empty() {
        " change:".to_owned()
    } else {
        format!(" add to {}:", paint(styles.path, &hint.file))
    };
    let mut lines = vec![format!(" {}", hint.because)];
    lines.extend(change(&lead, hint, styles));
    lines
}

/// One line where the change is one line, else a block below the lead.
fn change(lead: &str, hint: &Hint, styles: &Styles) -> Vec<String> {
    match hint.change.trim_end().split_once('\n') {
        None => vec![format!("{lead} {}", paint(styles.hint, hint.change.trim()))],
        Some(_) => {
            let block = hint
                .change
                .trim_end()
                .lines()
                .map(|line| format!("      {}", paint(styles.hint, line)));
            std::iter::once(lead.to_owned()).chain(block).collect()
        }
    }
}

fn underline(width: usize) -> (String, String) {
    let left = width.saturating_sub(1) / 2;
    ("─".repeat(left), "─".repeat(width.saturating_sub(left + 1)))
}
