//! Prints a completion script.

use clap::CommandFactory;

use crate::{
    args::{Arguments, CompletionsArguments},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

pub(crate) fn completions(
    arguments: &CompletionsArguments,
    printer: &Printer,
) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "proxyproof",
        &mut script,
    );
    printer.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::PASS)
}
