//! What changes between two configurations.

use proxyproof_oracle::routes::diff as compare;

use super::source;
use crate::{
    args::{DiffArguments, DiffFormat},
    error::CommandError,
    exit::Exit,
    printer::Printer,
};

pub(crate) fn diff(arguments: &DiffArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let diff = compare(
        &source::file(&arguments.old)?,
        &source::file(&arguments.new)?,
    );
    printer.result(&match (arguments.json, arguments.format) {
        (true, _) => diff.json(),
        (false, DiffFormat::Text) => diff.text(),
        (false, DiffFormat::Markdown) => diff.markdown(),
    })?;
    let same = diff.changes.is_empty() && diff.hosts.is_empty();
    Ok(if same { Exit::PASS } else { Exit::FINDINGS })
}
