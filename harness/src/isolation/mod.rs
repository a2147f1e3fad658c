//! Namespaces of a run's own, in which candidates reach loopback alone and change nothing of the machine: [`Isolation`].
//!
//! 1. [`Isolation::possible`] lets a child try whether this system allows it.
//! 2. [`Isolation::enter`] replaces this process's program by `unshare(1)`, which replaces itself by this program again:
//!    process id, parent and exit code stay what they are.
//! 3. [`Isolation::set_up`], there, brings loopback up, makes every mount read-only, and hides the machine's Unix sockets,
//!    which a network namespace does not hide where they have a path.

mod loopback;
mod mounts;
mod sockets;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::stage::Keep;

/// What stays writable in the namespaces, and what is hidden there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Isolation {
    /// Gets an empty file system in memory, for private directories; it is gone with the last process that sees it.
    memory: Option<PathBuf>,
    /// Stays what it is: reports, and the folder of private directories that are to be kept.
    writable: Vec<PathBuf>,
    /// Unix sockets of the machine.
    hidden: Vec<PathBuf>,
}

/// Why a run has no namespaces of its own.
#[derive(Debug, thiserror::Error)]
pub enum NotIsolated {
    /// `unshare` is not there, or can't be run.
    #[error("can't run `unshare`: {0}")]
    NoUnshare(io::Error),
    /// The system refuses.
    #[error("{0}")]
    Refused(String),
}

/// What of [`Isolation::set_up`] failed.
#[derive(Debug, thiserror::Error)]
#[error("can't {action}")]
pub struct SetUpError {
    action: &'static str,
    #[source]
    cause: io::Error,
}

impl Isolation {
    /// For a run that writes these files, and keeps its private directories or not.
    #[must_use]
    pub fn of(keep: Keep, outputs: &[&Path]) -> Self {
        let memory = Path::new(MEMORY);
        let in_memory = keep == Keep::Nothing && memory.is_dir();
        let folder = (!in_memory).then(std::env::temp_dir);
        let files = outputs.iter().map(|output| output.to_path_buf());
        let mut writable: Vec<PathBuf> = files
            // A pipe or a terminal is written to whatever its mount allows.
            .filter(|output| output.is_file())
            .chain(folder)
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        writable.dedup();
        Self {
            memory: in_memory.then(|| memory.to_owned()),
            writable,
            hidden: sockets::of_this_machine(),
        }
    }

    /// Whether this system allows it: a child of this program, started with `verb`, does the set-up and ends with 0.
    ///
    /// # Errors
    /// [`NotIsolated`] with what `unshare`, or the child, printed.
    pub fn possible(&self, verb: &str) -> Result<(), NotIsolated> {
        let mut command = self.command(verb, &[]).map_err(NotIsolated::NoUnshare)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let output = command.output().map_err(NotIsolated::NoUnshare)?;
        if output.status.success() {
            return Ok(());
        }
        let printed = String::from_utf8_lossy(&output.stderr);
        let first = printed.lines().find(|line| !line.trim().is_empty());
        Err(NotIsolated::Refused(match first {
            Some(line) => line.trim().to_owned(),
            None => format!("`unshare` ended with {}", output.status),
        }))
    }

    /// Continues as this program in the namespaces, started with `verb` and then with the same words again; returns only
    /// where that fails.
    ///
    /// # Errors
    /// Always: what kept the program from being replaced.
    pub fn enter(&self, verb: &str, words: &[OsString]) -> io::Error {
        match self.command(verb, words) {
            Ok(mut command) => command.exec(),
            Err(error) => error,
        }
    }

    /// The words behind `verb`, as [`Isolation::enter`] gave them: what to set up, and what was typed.
    #[must_use]
    pub fn entered(words: &[OsString]) -> Option<(Self, Vec<OsString>)> {
        let mut isolation = Self::default();
        let mut words = words.iter();
        loop {
            let option = words.next()?;
            if option == END {
                return Some((isolation, words.cloned().collect()));
            }
            let path = PathBuf::from(words.next()?);
            match option.to_str()? {
                "--memory" => isolation.memory = Some(path),
                "--writable" => isolation.writable.push(path),
                "--hidden" => isolation.hidden.push(path),
                _ => return None,
            }
        }
    }

    /// Makes the namespaces, which this process is in already, what they are for. No thread may run beside.
    ///
    /// # Errors
    /// With the step that failed.
    pub fn set_up(&self) -> Result<(), SetUpError> {
        let failed = |action| move |cause| SetUpError { action, cause };
        loopback::raise().map_err(failed("bring loopback up"))?;
        mounts::protect(self).map_err(failed("make the file system read-only"))?;
        give_capabilities_up().map_err(failed("give capabilities up"))
    }

    fn command(&self, verb: &str, words: &[OsString]) -> io::Result<Command> {
        let itself = std::env::current_exe()?;
        let mut command = Command::new("unshare");
        // Root stays root, without a user namespace: servers that start as root change their workers' user.
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-current-user", "--keep-caps"]);
        }
        command.args(["--net", "--mount", "--"]).arg(itself);
        command.arg(verb);
        let options = [
            ("--memory", self.memory.as_slice()),
            ("--writable", &self.writable),
            ("--hidden", &self.hidden),
        ];
        for (option, paths) in options {
            for path in paths {
                command.arg(option).arg(path);
            }
        }
        command.arg(END).args(words);
        if let Some(memory) = &self.memory {
            command.env("TMPDIR", memory);
        }
        Ok(command)
    }
}

/// What a user namespace gives is for the set-up alone: candidates run as the user would run them.
fn give_capabilities_up() -> io::Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Ok(rustix::thread::clear_ambient_capability_set()?)
}

/// A folder of every Linux that programs share memory in; a run needs nothing of what others have there.
const MEMORY: &str = "/dev/shm";
/// Between the options and what was typed.
const END: &str = "--";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_up_is_what_was_entered_with() {
        let isolation = Isolation {
            memory: Some("/dev/shm".into()),
            writable: vec!["/a b".into(), "--hidden".into()],
            hidden: vec!["/run/x.sock".into()],
        };
        let typed = ["run", "--", "nginx"].map(OsString::from);
        let command = isolation.command("__isolated", &typed).unwrap();
        let words: Vec<OsString> = command.get_args().map(OsString::from).collect();
        let verb = words.iter().position(|word| word == "__isolated").unwrap();
        let (entered, rest) = Isolation::entered(&words[verb + 1..]).unwrap();
        assert_eq!((entered, &*rest), (isolation, &typed[..]));
        assert_eq!(Isolation::entered(&["--other".into(), "x".into()]), None);
        assert_eq!(Isolation::entered(&["--memory".into()]), None);
    }

    #[test]
    fn reports_stay_writable_and_private_directories_are_kept_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        std::fs::write(&report, "").unwrap();
        let isolation = Isolation::of(Keep::Directory, &[&report, Path::new("/dev/null")]);
        let expected = [report, std::env::temp_dir()].map(|path| path.canonicalize().unwrap());
        assert_eq!(isolation.writable, expected);
        assert_eq!(isolation.memory, None);
    }
}
