//! Serves one of the mocks alone.

mod cpa;
mod front;
mod upstream;
mod usage;

use crate::{
    args::{MockArguments, Part},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

pub(crate) fn mock(arguments: &MockArguments, printer: &Printer) -> Result<Exit, CommandError> {
    match &arguments.part {
        Part::Cpa(arguments) => cpa::cpa(arguments, printer),
        Part::Usage(arguments) => usage::usage(arguments, printer),
        Part::Front(arguments) => front::front(arguments, printer),
    }
}
