//! Serves as the embedded candidate, which the harness starts as a process of its own.

use std::{ffi::OsString, path::Path};

use crate::{error::CommandError, exit::Exit};

/// Serves until it is told to stop, if that is what `__reference --config FILE` on the command line asks for.
///
/// No command of clap's: it is no part of the surface, neither of the help nor of the completions.
pub(crate) fn serve_if_asked() -> Option<Result<Exit, CommandError>> {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    match typed.as_slice() {
        [verb, flag, config] if verb == "__reference" && flag == "--config" => {
            Some(serve(Path::new(config)))
        }
        _ => None,
    }
}

fn serve(config: &Path) -> Result<Exit, CommandError> {
    proxyproof_reference::run(config).map_err(CommandError::Reference)?;
    Ok(Exit::PASS)
}
