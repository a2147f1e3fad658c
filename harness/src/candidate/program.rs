//! A candidate's program in its private directory.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Process;
use crate::error::HarnessError;
use crate::stage::Guard;

/// What it takes to start one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) directory: &'a Path,
    pub(crate) guard: &'a Guard,
}

/// Where a program keeps things for itself, and looks for its user's: with the rest, in a directory of the harness's own.
/// Caddy saves every configuration that it was given.
pub(crate) fn private_environment(directory: &Path) -> impl Iterator<Item = (&'static str, &Path)> {
    KEEPS_THINGS.into_iter().map(move |name| (name, directory))
}

/// Variables that name such folders.
const KEEPS_THINGS: [&str; 7] = [
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

impl Program<'_> {
    /// Starts it; what it prints goes to a file of this name.
    pub(crate) fn start(self, arguments: &[String], output: &str) -> Result<Process, HarnessError> {
        self.spawn(arguments, output)
            .map_err(|cause| HarnessError::System {
                action: format!("start `{}`", self.binary.display()),
                cause,
            })
    }

    fn spawn(self, arguments: &[String], output: &str) -> io::Result<Process> {
        let output = File::create(self.directory.join(output))?;
        let mut command = Command::new(self.binary);
        command
            .args(arguments)
            .current_dir(self.directory)
            // Messages of the system in the words that are looked for.
            .env("LC_ALL", "C")
            .envs(private_environment(self.directory))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Process::start(&mut command, self.guard)
    }
}
