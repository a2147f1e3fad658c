//! Namespaces of a run's own, where the system allows them: what proxies under test do reaches nothing of this machine.

use std::{env, ffi::OsString, path::Path};

use proxyproof_harness::{
    isolation::{Isolation, NotIsolated},
    stage::Keep,
};

use crate::{
    args::{Arguments, Verb},
    command::output::Output,
    error::CommandError,
};

/// What this program was started with.
pub(crate) struct Invocation {
    /// What was typed, without the program's name.
    pub(crate) words: Vec<OsString>,
    /// The namespaces are there.
    pub(crate) isolated: bool,
}

impl Invocation {
    /// Reads it, and sets the namespaces up when this is the program in them.
    pub(crate) fn read() -> Result<Self, CommandError> {
        let words: Vec<OsString> = env::args_os().skip(1).collect();
        let entered = words.split_first().filter(|(verb, _)| *verb == ISOLATED);
        let Some((isolation, words)) = entered.and_then(|(_, rest)| Isolation::entered(rest))
        else {
            let isolated = false;
            return Ok(Self { words, isolated });
        };
        isolation.set_up().map_err(CommandError::Isolation)?;
        if words.is_empty() {
            // The child that tries whether it works.
            std::process::exit(0);
        }
        let isolated = true;
        Ok(Self { words, isolated })
    }
}

/// Continues in namespaces where the command stages proxies of its own, and the system allows it; returns where not.
pub(crate) fn enter(arguments: &Arguments, words: &[OsString]) -> Result<(), CommandError> {
    let (keep, outputs) = match &arguments.verb {
        Verb::Run(run) if run.is_isolated() => {
            let keep = match run.keep {
                true => Keep::Directory,
                false => Keep::Nothing,
            };
            (keep, [run.json.as_deref(), run.junit.as_deref()])
        }
        Verb::Matrix(matrix) if !matrix.no_isolation => (Keep::Nothing, [None, None]),
        _ => return Ok(()),
    };
    // They have to be there before everything else becomes read-only.
    for output in outputs {
        Output::open(output)?;
    }
    let outputs: Vec<&Path> = outputs.into_iter().flatten().collect();
    let isolation = Isolation::of(keep, &outputs);
    if isolation.possible(ISOLATED).is_ok() {
        let cause = isolation.enter(ISOLATED, words);
        return Err(CommandError::System {
            action: "continue in namespaces",
            cause,
        });
    }
    Ok(())
}

/// Why a run would have no namespaces.
pub(crate) fn missing() -> Option<NotIsolated> {
    Isolation::of(Keep::Nothing, &[]).possible(ISOLATED).err()
}

/// Like the embedded candidate, no command of clap's.
const ISOLATED: &str = "__isolated";
