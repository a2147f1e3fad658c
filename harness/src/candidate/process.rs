//! A candidate's process and its group.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::process::{Pid, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tokio::sync::watch;

use super::left_behind::LeftBehind;
use super::{Ending, Foretold, Signal, proc_table};
use crate::patience::{Patience, RanOut};
use crate::stage::Guard;

/// A running process with all its descendants in a group of their own; dropping it kills and reaps.
///
/// A thread of its own waits for it: reaping then needs no runtime, and happens in a drop too.
#[derive(Debug)]
pub(crate) struct Process {
    group: Pid,
    /// Taken before every signal, so that a number that is another's by now never gets one.
    leader: Arc<Mutex<Leader>>,
    ending: Foretold,
    watcher: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leader {
    Alive,
    Reaped,
}

impl Process {
    /// Starts a command in a new process group that the guard knows.
    pub(crate) fn start(command: &mut Command, guard: &Guard) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        guard.watch_group(child.id());
        let group = Pid::from_child(&child);
        let leader = Arc::new(Mutex::new(Leader::Alive));
        let (told, ending) = Foretold::channel();
        let watched = Watched {
            left_behind: LeftBehind::of(command),
            child,
            group,
            leader: Arc::clone(&leader),
            guard: guard.clone(),
            told,
        };
        let watcher = std::thread::Builder::new()
            .name("candidate watcher".to_owned())
            .spawn(move || watched.until_gone())?;
        Ok(Self {
            group,
            leader,
            ending,
            watcher: Some(watcher),
        })
    }

    /// The processes of its group, as they are now.
    pub(crate) fn members(&self) -> Vec<u32> {
        let group = self.group.as_raw_nonzero().get();
        let members = proc_table::entries().filter(|entry| entry.group == group);
        members.map(|entry| entry.process).collect()
    }

    /// How it ended, if it has.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.ending.now()
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> Ending {
        let ending = self.ending.told().await;
        ending.expect("the watcher tells the ending before it goes")
    }

    /// Sends a signal to the process itself; nothing happens when it is gone.
    pub(crate) fn signal(&self, signal: Signal) {
        if *lock(&self.leader) == Leader::Alive {
            let _ = kill_process(self.group, signal.number());
        }
    }

    /// Kills the whole group.
    pub(crate) fn kill(&self) {
        if *lock(&self.leader) == Leader::Alive {
            let _ = kill_process_group(self.group, rustix::process::Signal::KILL);
        }
    }

    /// Sends a signal and waits for the end; when that does not come, the group is killed and the wait reported.
    pub(crate) async fn end(&self, signal: Signal, patience: Patience) -> Result<Ending, RanOut> {
        self.signal(signal);
        let ended = patience
            .within("the candidate to be gone", self.ended())
            .await;
        if ended.is_err() {
            self.kill();
            self.ended().await;
        }
        ended
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(watcher) = self.watcher.take() {
            // Nothing outlives SIGKILL, so this is short.
            let _ = watcher.join();
        }
    }
}

struct Watched {
    left_behind: Option<LeftBehind>,
    child: Child,
    group: Pid,
    leader: Arc<Mutex<Leader>>,
    guard: Guard,
    told: watch::Sender<Option<Ending>>,
}

impl Watched {
    /// Waits for the end without reaping: as long as the leader is a zombie, its number and its group's are its own, so
    /// what it left behind can be killed without hitting others.
    fn until_gone(mut self) {
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(self.group), ended) {}
        let mut leader = lock(&self.leader);
        let _ = kill_process_group(self.group, rustix::process::Signal::KILL);
        if let Some(left_behind) = &self.left_behind {
            left_behind.kill();
        }
        let status = self.child.wait();
        *leader = Leader::Reaped;
        self.guard.forget_group(self.child.id());
        // A child that can't be waited for was never ours; there is no such system.
        let status = status.unwrap_or_else(|_lost| ExitStatus::from_raw(0));
        self.told.send_replace(Some(Ending::of(status)));
    }
}

fn lock(leader: &Mutex<Leader>) -> MutexGuard<'_, Leader> {
    leader.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::child_program;

    fn start(mut program: Command) -> Process {
        let guard = Guard::start().unwrap();
        Process::start(&mut program, &guard).unwrap()
    }

    /// What a program writes into a file.
    async fn text_in(file: &Path) -> String {
        let written = Patience::SETTLE.eventually("the program to write", || {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            std::future::ready((!text.is_empty()).then_some(text).ok_or_else(String::new))
        });
        written.await.unwrap()
    }

    #[tokio::test]
    async fn the_ending_is_told() {
        let process = start(child_program::command("fail"));
        assert_eq!(process.ended().await.to_string(), "exit code 3");
        assert_eq!(process.ending().unwrap().to_string(), "exit code 3");
        process.signal(Signal::Term);
    }

    #[tokio::test]
    async fn a_process_that_ignores_the_signal_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let mut program = child_program::command("sleep, whatever the signal");
        program.current_dir(&directory);
        let process = start(program);
        text_in(&directory.path().join("ready")).await;
        let short = Patience::new("test", Duration::from_millis(50));
        let ran_out = process.end(Signal::Term, short).await.unwrap_err();
        assert_eq!(ran_out.awaited, "the candidate to be gone");
        assert_eq!(process.ending().unwrap().to_string(), "signal 9");
    }

    #[tokio::test]
    async fn descendants_are_gone_after_a_drop() {
        let directory = tempfile::tempdir().unwrap();
        let mut program = child_program::command("sleep, and have another do it");
        program.current_dir(&directory);
        let process = start(program);
        let descendant = text_in(&directory.path().join("child")).await;
        drop(process);
        is_gone(&descendant).await;
    }

    #[tokio::test]
    async fn a_program_that_goes_into_the_background_is_killed_there() {
        let directory = tempfile::tempdir().unwrap();
        let mut program = child_program::command("leave the group, and sleep");
        program
            .current_dir(&directory)
            .env("HOME", directory.path());
        let process = start(program);
        assert!(process.ended().await.is_success());
        is_gone(&text_in(&directory.path().join("child")).await).await;
    }

    async fn is_gone(descendant: &str) {
        let gone = |()| match std::fs::read_to_string(format!("/proc/{descendant}/stat")) {
            Ok(stat) if !stat.contains(") Z ") => Err(stat),
            _ => Ok(()),
        };
        Patience::SETTLE
            .eventually("the descendant to be gone", || std::future::ready(gone(())))
            .await
            .unwrap();
    }
}
