//! Route configurations as values: one question a file.

mod check;
mod diff;
mod matches;
mod prop;
mod show;
mod source;

use crate::{
    args::{RoutesArguments, RoutesQuestion},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

/// Answers what was asked.
pub(crate) fn routes(arguments: &RoutesArguments, printer: &Printer) -> Result<Exit, CommandError> {
    match &arguments.question {
        RoutesQuestion::Show(arguments) => show::show(arguments, printer),
        RoutesQuestion::Match(arguments) => matches::matches(arguments, printer),
        RoutesQuestion::Check(arguments) => check::check(arguments, printer),
        RoutesQuestion::Diff(arguments) => diff::diff(arguments, printer),
        RoutesQuestion::Prop(arguments) => prop::prop(arguments, printer),
    }
}
