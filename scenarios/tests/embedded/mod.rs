//! The embedded candidate of a test executable: the executable itself, started again with a hidden argument.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use proxyproof_harness::{Candidate, stage::guard, suite::SuiteResult};

use crate::asked::ask_of;

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

/// Asks the reference with these defects what these filters mean.
pub(crate) fn ask(defects: &[&str], filters: &[String]) -> Result<SuiteResult, String> {
    let candidate = Candidate::named("reference").map_err(|error| error.in_full())?;
    ask_of(&candidate.with_defects(defects.iter().copied()), filters)
}
