//! What this program runs as processes of its own: the embedded candidate, which the harness starts, and a benchmark's client.

use std::{ffi::OsString, path::Path};

use proxyproof_benches::client::{self, ClientProgram};

use crate::{error::CommandError, exit::Exit};

/// Is one of them, if that is what `__reference --config FILE` or `__client` on the command line asks for.
///
/// No commands of clap's: they are no part of the surface, neither of the help nor of the completions.
pub(crate) fn serve_if_asked(words: &[OsString]) -> Option<Result<Exit, CommandError>> {
    match words {
        [verb, flag, config] if verb == "__reference" && flag == "--config" => {
            Some(serve(Path::new(config)))
        }
        [verb] if verb == CLIENT => Some(ask()),
        _ => None,
    }
}

fn serve(config: &Path) -> Result<Exit, CommandError> {
    proxyproof_reference::run(config).map_err(CommandError::Reference)?;
    Ok(Exit::PASS)
}

fn ask() -> Result<Exit, CommandError> {
    let action = "take a turn as a benchmark's client";
    client::serve().map_err(|cause| CommandError::System { action, cause })?;
    Ok(Exit::PASS)
}

/// This program, as a benchmark's client.
pub(crate) fn client() -> Result<ClientProgram, CommandError> {
    let action = "find this program";
    let path = std::env::current_exe().map_err(|cause| CommandError::System { action, cause })?;
    Ok(ClientProgram {
        path,
        arguments: vec![CLIENT.to_owned()],
    })
}

const CLIENT: &str = "__client";
