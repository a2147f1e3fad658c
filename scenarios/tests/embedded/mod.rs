//! The embedded candidate of a test executable: the executable itself, started again with a hidden argument.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use proxyproof_harness::{
    Candidate, Deployment, Level,
    suite::{Filter, Plan, Selection, Suite, SuiteResult},
};

/// Serves as the reference proxy when that is what this process was started for.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
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
    let candidate = candidate.with_defects(defects.iter().copied());
    let filters = filters.iter().map(|filter| Filter::new(filter)).collect();
    let selection = Selection {
        filters,
        level: Some(Level::Observed),
    };
    let plan =
        Plan::of(&proxyproof_scenarios::all(), &selection).map_err(|error| error.to_string())?;
    let deployment = Deployment::cpa_two_hosts();
    let suite = Suite::new(&plan, &candidate, &deployment);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime
        .block_on(suite.run(&mut [], std::future::pending()))
        .map_err(|error| error.in_full())
}
