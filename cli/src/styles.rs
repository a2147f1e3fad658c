//! Colours, by role.

use anstyle::{AnsiColor, Style};
use proxyproof_harness::report::Styles;

/// The colours of each role; never the only carrier of a meaning.
pub(crate) const COLOURED: Styles = Styles {
    pass: AnsiColor::Green.on_default(),
    fail: AnsiColor::Red.on_default().bold(),
    known: AnsiColor::Yellow.on_default(),
    skip: AnsiColor::BrightBlack.on_default(),
    broken: AnsiColor::Magenta.on_default().bold(),
    path: AnsiColor::Cyan.on_default(),
    hint: AnsiColor::Green.on_default().bold(),
    count: Style::new().bold(),
    quiet: AnsiColor::BrightBlack.on_default(),
};
