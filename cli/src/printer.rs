//! The only place that prints: results to stdout, everything else to stderr.

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};
use proxyproof_harness::report::{Detail, Styles};

use crate::{
    args::{ColorChoice, Global},
    error::CommandError,
    exit::Exit,
    styles::COLOURED,
};

/// Narrower than this, lines are broken as if it were this wide.
const NARROWEST: usize = 80;
/// Wider than this, lines are hard to read.
const WIDEST: usize = 120;

/// How results and errors reach the reader.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Printer {
    colour: ColorChoice,
    detail: Detail,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        let detail = match (global.quiet, global.verbose) {
            (true, _) => Detail::Quiet,
            (false, true) => Detail::Verbose,
            (false, false) => Detail::Usual,
        };
        Self {
            colour: global.color,
            detail,
        }
    }

    pub(crate) fn detail(self) -> Detail {
        self.detail
    }

    /// The styles of what goes to stdout.
    pub(crate) fn styles(self) -> Styles {
        if self.paints(io::stdout().is_terminal()) {
            COLOURED
        } else {
            Styles::default()
        }
    }

    /// The width of the terminal on stdout within what reads well; `None` when it is none.
    pub(crate) fn width(self) -> Option<usize> {
        if !io::stdout().is_terminal() {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(usize::from(size.ws_col).clamp(NARROWEST, WIDEST))
    }

    /// Whether a line that redraws itself makes sense.
    pub(crate) fn shows_progress(self) -> bool {
        self.detail != Detail::Quiet
            && io::stderr().is_terminal()
            && env::var_os("TERM").is_none_or(|t| t != "dumb")
    }

    /// Writes a result.
    pub(crate) fn result(self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|cause| CommandError::Print { cause })
    }

    /// Writes what goes on, unless only the result is wanted.
    #[cfg(feature = "containers")]
    pub(crate) fn note(self, text: &str) {
        if self.detail != Detail::Quiet {
            say(&format!("{text}\n"));
        }
    }

    /// Writes why the command failed.
    pub(crate) fn error(self, error: &CommandError) {
        let paints = self.paints(io::stderr().is_terminal());
        let style = if paints {
            AnsiColor::Red.on_default().bold()
        } else {
            Style::new()
        };
        say(&format!(
            "{style}error{style:#}: {}\n",
            error.report(paints)
        ));
        if let Some(help) = error.help() {
            say(&format!("\nhelp: {help}\n"));
        }
    }

    /// Writes what clap has to say, help and version included.
    pub(crate) fn tell_usage(error: &clap::Error) -> ExitCode {
        // A closed pipe while the help is printed is no failure.
        let _ = error.print();
        if error.use_stderr() {
            Exit::USAGE.into()
        } else {
            Exit::PASS.into()
        }
    }

    fn paints(self, terminal: bool) -> bool {
        match self.colour {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let says_no = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                terminal && !says_no && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

fn say(text: &str) {
    // Nobody is left to be told that stderr is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
