//! The command: turns arguments into a run, and tells what came of it.

mod args;
mod command;
mod error;
mod exit;
mod foreground;
mod printer;
mod progress;
mod ready_file;
mod runtime;
mod signals;
mod styles;

use std::process::ExitCode;

use crate::{args::Arguments, error::CommandError, exit::Exit, printer::Printer};

fn main() -> ExitCode {
    if let Some(ended) = command::serve_if_asked() {
        return exit_code(ended, Printer::default());
    }
    match Arguments::parse() {
        Ok(arguments) => {
            let printer = Printer::new(&arguments.global);
            exit_code(command::execute(&arguments, &printer), printer)
        }
        Err(error) => Printer::tell_usage(&error),
    }
}

fn exit_code(ended: Result<Exit, CommandError>, printer: Printer) -> ExitCode {
    match ended {
        Ok(exit) => exit.into(),
        // The reader has seen enough: `proxyproof list | head` is no failure.
        Err(error) if error.is_broken_pipe() => Exit::PASS.into(),
        Err(error) => {
            printer.error(&error);
            error.exit().into()
        }
    }
}
