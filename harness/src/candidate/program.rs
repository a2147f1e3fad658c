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
            // What it keeps for itself goes with the rest: Caddy saves every configuration it was given.
            .env("XDG_CONFIG_HOME", self.directory)
            .env("XDG_DATA_HOME", self.directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Process::start(&mut command, self.guard)
    }
}
