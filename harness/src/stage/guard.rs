//! What cleans up when the harness itself is killed: [`Guard`].

mod engine;
mod program;
mod watch_list;

use std::fmt;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

pub use self::program::serve_if_asked;
#[cfg(test)]
pub(crate) use self::program::{ignore_signals, serve};
use self::watch_list::Watched;

/// A small process in a group of its own, told what runs and which directories exist.
///
/// Its standard input ends when this process is gone, however it went; it then kills what is still registered and
/// removes the directories. Clones share it; the last one ends it.
#[derive(Clone, Debug)]
pub struct Guard {
    process: Arc<GuardProcess>,
}

impl Guard {
    /// Starts the process: this executable once more where it has called [`serve_if_asked`], and a shell otherwise.
    ///
    /// # Errors
    /// When it can't be started, as a shell where there is no `/bin/sh`.
    pub fn start() -> io::Result<Self> {
        Self::run_by(program::command())
    }

    fn run_by(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let orders = child.stdin.take();
        Ok(Self {
            process: Arc::new(GuardProcess {
                child: Mutex::new(child),
                orders: Mutex::new(orders),
            }),
        })
    }

    /// Kills the group with this id if this process is gone first.
    pub(crate) fn watch_group(&self, group: u32) {
        self.process.tell(&Watched::Group(group).watch_order());
    }

    /// The group is gone: its number may be another's soon.
    pub(crate) fn forget_group(&self, group: u32) {
        self.process.tell(&Watched::Group(group).forget_order());
    }

    /// Removes the container of this name if this process is gone first.
    #[cfg(feature = "containers")]
    pub(crate) fn watch_container(&self, name: &str) {
        let container = Watched::Container(name.to_owned());
        self.process.tell(&container.watch_order());
    }

    /// The container is removed.
    #[cfg(feature = "containers")]
    pub(crate) fn forget_container(&self, name: &str) {
        let container = Watched::Container(name.to_owned());
        self.process.tell(&container.forget_order());
    }

    /// Removes the directory, and kills who runs in it, if this process is gone first.
    pub(crate) fn watch_directory(&self, directory: &Path) {
        let directory = Watched::Directory(directory.to_owned());
        self.process.tell(&directory.watch_order());
    }

    /// The directory is removed.
    pub(crate) fn forget_directory(&self, directory: &Path) {
        let directory = Watched::Directory(directory.to_owned());
        self.process.tell(&directory.forget_order());
    }
}

struct GuardProcess {
    child: Mutex<Child>,
    orders: Mutex<Option<ChildStdin>>,
}

impl GuardProcess {
    /// A guard that somebody killed can't be told anything; the harness still stops everything itself.
    fn tell(&self, order: &[u8]) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = orders.as_mut() {
            let _ = orders.write_all(order);
        }
    }
}

impl Drop for GuardProcess {
    fn drop(&mut self) {
        *self
            .orders
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner) = None;
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // At the end of its input it does its work and ends; it waits for nothing.
        let _ = child.wait();
    }
}

impl fmt::Debug for GuardProcess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GuardProcess")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;
    use crate::child_program;
    use crate::patience::Patience;

    /// One that is this executable, and one that is a shell.
    fn guards() -> [Guard; 2] {
        let commands = [child_program::command("guard"), program::shell()];
        commands.map(|command| Guard::run_by(command).unwrap())
    }

    fn sleeper() -> Child {
        let mut sleeper = child_program::command("sleep");
        sleeper.process_group(0).spawn().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// A harness can be killed between the start of a program and the word about it.
    #[test]
    fn who_runs_in_a_directory_goes_with_it() {
        for guard in guards() {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().canonicalize().unwrap();
            let watched = path.join("watched");
            fs::create_dir(&watched).unwrap();
            guard.watch_directory(&watched);
            let start = |directory: &Path| {
                let mut sleep = child_program::command("sleep");
                sleep.current_dir(directory).spawn().unwrap()
            };
            let (mut inside, mut outside) = (start(&watched), start(&path));
            drop(guard);
            assert!(!inside.wait().unwrap().success());
            assert_eq!(outside.try_wait().unwrap(), None);
            end(outside);
            assert!(!watched.exists());
        }
    }

    #[test]
    fn what_is_still_registered_is_removed_at_the_end() {
        for guard in guards() {
            let root = tempfile::tempdir().unwrap();
            let watched = root.path().join("with a space");
            let forgotten = root.path().join("forgotten");
            fs::create_dir_all(watched.join("inner")).unwrap();
            fs::create_dir(&forgotten).unwrap();
            let (mut killed, mut spared) = (sleeper(), sleeper());

            let clone = guard.clone();
            for child in [&killed, &spared] {
                guard.watch_group(child.id());
            }
            guard.watch_directory(&watched);
            guard.watch_directory(&forgotten);
            clone.forget_group(spared.id());
            clone.forget_directory(&forgotten);
            drop(guard);
            assert!(watched.exists(), "a clone still holds it");
            drop(clone);

            assert!(!watched.exists());
            assert!(forgotten.exists());
            assert!(!killed.wait().unwrap().success());
            assert_eq!(spared.try_wait().unwrap(), None);
            end(spared);
        }
    }

    /// Whoever ends everything that this user runs ends the harness by it, and the guard has to outlive that.
    #[tokio::test]
    async fn signals_do_not_end_it() {
        let signals = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];
        for guard in guards() {
            let root = tempfile::tempdir().unwrap();
            let watched = root.path().join("watched");
            fs::create_dir(&watched).unwrap();
            let process = Pid::from_child(&guard.process.child.lock().unwrap());
            let ready = Patience::SETTLE.eventually("the guard's handlers", || {
                let handled = handled_signals(process);
                let all = signals
                    .iter()
                    .all(|signal| handled & 1 << (signal.as_raw() - 1) != 0);
                std::future::ready(all.then_some(()).ok_or_else(|| format!("{handled:x}")))
            });
            ready.await.unwrap();
            for signal in signals {
                kill_process(process, signal).unwrap();
            }
            guard.watch_directory(&watched);
            drop(guard);
            assert!(!watched.exists());
        }
    }

    /// The signals that a process ignores or catches, a bit each (proc_pid_status(5)).
    fn handled_signals(process: Pid) -> u64 {
        let status = format!("/proc/{}/status", process.as_raw_nonzero());
        let status = fs::read_to_string(status).unwrap();
        let masks = status.lines().filter_map(|line| {
            let mask = line
                .strip_prefix("SigIgn:")
                .or(line.strip_prefix("SigCgt:"));
            u64::from_str_radix(mask?.trim(), 16).ok()
        });
        masks.fold(0, |all, mask| all | mask)
    }
}
