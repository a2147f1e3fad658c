//! The command: turns arguments into a run, and tells what came of it.

mod args;
mod command;
mod error;
mod exit;
mod foreground;
mod isolation;
mod printer;
mod progress;
mod ready_file;
mod runtime;
mod signals;
mod styles;

use std::process::ExitCode;

use proxyproof_harness::stage::guard;

use crate::{
    args::Arguments, error::CommandError, exit::Exit, isolation::Invocation, printer::Printer,
};

fn main() -> ExitCode {
    if let Some(ended) = guard::serve_if_asked() {
        return ended;
    }
    let invocation = match Invocation::read() {
        Ok(invocation) => invocation,
        Err(error) => return exit_code(Err(error), Printer::default()),
    };
    let Invocation { words, isolated } = &invocation;
    if let Some(ended) = command::serve_if_asked(words) {
        return exit_code(ended, Printer::default());
    }
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(error) => return Printer::tell_usage(&error),
    };
    let printer = Printer::new(&arguments.global);
    if !isolated && let Err(error) = isolation::enter(&arguments, words) {
        return exit_code(Err(error), printer);
    }
    exit_code(command::execute(&arguments, &printer), printer)
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
