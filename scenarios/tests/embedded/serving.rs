//! This executable as the reference proxy, or as a guard.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use proxyproof_harness::stage::guard;

/// Serves as the reference proxy, or as a guard, when that is what this process was started for.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    if let Some(ended) = guard::serve_if_asked() {
        return Some(ended);
    }
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [verb, flag, config] = arguments.as_slice() else {
        return None;
    };
    if verb != "__reference" || flag != "--config" {
        return None;
    }
    let ended = proxyproof_reference::run(&PathBuf::from(config));
    Some(ended.map_or_else(
        |error| {
            // The harness shows it as the candidate's last words.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    ))
}
