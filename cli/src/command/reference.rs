//! Serves as the embedded candidate until it is told to stop.

use crate::{args::ReferenceArguments, error::CommandError, exit::Exit};

pub(crate) fn reference(arguments: &ReferenceArguments) -> Result<Exit, CommandError> {
    proxyproof_reference::run(&arguments.config).map_err(CommandError::Reference)?;
    Ok(Exit::PASS)
}
