//! The table as people read it.

use proxyproof_oracle::routes::listing;

use super::source;
use crate::{args::ShowArguments, error::CommandError, exit::Exit, printer::Printer};

pub(crate) fn show(arguments: &ShowArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let listing = listing(&source::file_or_candidate(&arguments.config)?);
    printer.result(&if arguments.json {
        listing.json()
    } else {
        listing.text()
    })?;
    Ok(Exit::PASS)
}
