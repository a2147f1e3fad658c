//! The command: turns arguments into a run, and tells what came of it.

mod args;
mod command;
mod error;
mod exit;
mod printer;
mod progress;
mod signals;
mod styles;

use std::process::ExitCode;

use crate::{args::Arguments, exit::Exit, printer::Printer};

fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(arguments) => arguments,
        Err(error) => return Printer::tell_usage(&error),
    };
    let printer = Printer::new(&arguments.global);
    match command::execute(&arguments, &printer) {
        Ok(exit) => exit.into(),
        // The reader has seen enough: `proxyproof list | head` is no failure.
        Err(error) if error.is_broken_pipe() => Exit::PASS.into(),
        Err(error) => {
            printer.error(&error);
            error.exit().into()
        }
    }
}
