//! Processes that left their candidate's group, as a program does that goes into the background.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use super::proc_table;

/// What tells a candidate's processes from all others: the private directory that is their `HOME`.
#[derive(Clone, Debug)]
pub(crate) struct LeftBehind {
    entry: Vec<u8>,
}

impl LeftBehind {
    /// Those of this command; `None` where it gives its processes no `HOME` of their own.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let mut variables = command.get_envs();
        let home = variables.find_map(|(name, value)| value.filter(|_| name == "HOME"))?;
        let entry = [OsStr::new("HOME=").as_bytes(), home.as_bytes()].concat();
        Some(Self { entry })
    }

    /// Kills them.
    pub(crate) fn kill(&self) {
        for entry in proc_table::entries() {
            self.kill_if_one(entry.process);
        }
    }

    #[cfg(target_os = "linux")]
    fn kill_if_one(&self, process: u32) {
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

        let number = i32::try_from(process).ok().and_then(Pid::from_raw);
        // Opened before it is looked at, so that a number that is another's by then gets no signal.
        let opened = number.and_then(|number| pidfd_open(number, PidfdFlags::empty()).ok());
        if let Some(opened) = opened.filter(|_| self.is_one(process)) {
            let _ = pidfd_send_signal(&opened, Signal::KILL);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn kill_if_one(&self, process: u32) {
        let _ = (process, Self::is_one);
    }

    fn is_one(&self, process: u32) -> bool {
        let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let mut entries = environment.split(|byte| *byte == 0);
        entries.any(|entry| entry == self.entry)
    }
}
