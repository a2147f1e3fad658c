//! One command a file.

mod bench;
pub(crate) mod build;
mod certs;
mod completions;
mod doctor;
mod explain;
mod how;
mod init;
mod itself;
mod list;
mod matrix;
mod mock;
pub(crate) mod output;
pub(crate) mod own;
mod routes;
mod run;
mod up;

pub(crate) use itself::serve_if_asked;

use crate::{
    args::{Arguments, Verb},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

/// Does what was typed.
pub(crate) fn execute(arguments: &Arguments, printer: &Printer) -> Result<Exit, CommandError> {
    match &arguments.verb {
        Verb::Run(arguments) => run::run(arguments, printer),
        Verb::Matrix(arguments) => matrix::matrix(arguments, printer),
        Verb::Bench(arguments) => bench::bench(arguments, printer),
        Verb::Routes(arguments) => routes::routes(arguments, printer),
        Verb::Up(arguments) => up::up(arguments, printer),
        Verb::Mock(arguments) => mock::mock(arguments, printer),
        Verb::Init(arguments) => init::init(arguments, printer),
        Verb::List(arguments) => list::list(arguments, printer),
        Verb::Explain(arguments) => explain::explain(arguments, printer),
        Verb::Doctor => doctor::doctor(printer),
        Verb::Certs(arguments) => certs::certs(arguments, printer),
        Verb::Completions(arguments) => completions::completions(arguments, printer),
    }
}
