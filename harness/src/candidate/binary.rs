//! Where a candidate's program is, and which version.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, kill_process_group};

use super::{Candidate, Launch, LaunchKind, VersionCommand, private_environment};
use crate::error::HarnessError;
use crate::patience::Patience;

/// A candidate's program as it is installed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The executable.
    pub binary: PathBuf,
    /// What its version command printed; none where the manifest has no such command or nothing was recognised.
    pub version: Option<String>,
}

impl Candidate {
    /// Looks for the program and asks its version; runs the version command, which may take milliseconds.
    ///
    /// # Errors
    /// [`HarnessError::NotInstalled`] when the program is not there, [`HarnessError::System`] when it can't be run.
    pub fn installation(&self) -> Result<Installation, HarnessError> {
        let binary = self.binary()?;
        let version = match (&self.launch.kind, &self.launch.version) {
            (LaunchKind::Embedded, _) => Some(env!("CARGO_PKG_VERSION").to_owned()),
            (LaunchKind::Container(image), _) => Some(image.name.clone()),
            (LaunchKind::Process, Some(command)) => version(&binary, command)?,
            _ => None,
        };
        Ok(Installation { binary, version })
    }

    /// The same candidate with the version that is installed here, and with what holds of that version only.
    ///
    /// # Errors
    /// What [`Candidate::installation`] gives.
    pub fn installed(mut self) -> Result<Self, HarnessError> {
        self.version = self.installation()?.version;
        let told = match &self.launch.kind {
            // Of an image the tag says it, if anything does: `2.6-alpine`.
            LaunchKind::Container(image) => Some(image.name_and_tag().1),
            _ => self.version.as_deref(),
        };
        let version = told.and_then(|text| text.parse().ok());
        for edition in std::mem::take(&mut self.editions) {
            if edition.holds_for(version.as_ref()) {
                self.features.extend(edition.features);
                self.known.extend(edition.known);
            }
        }
        Ok(self)
    }

    /// The executable to start.
    pub(crate) fn binary(&self) -> Result<PathBuf, HarnessError> {
        let Launch { kind, binary, .. } = &self.launch;
        if let LaunchKind::Container(image) = kind {
            return Ok(image
                .binary
                .as_ref()
                .map_or_else(|| binary.clone(), PathBuf::from));
        }
        if matches!(kind, LaunchKind::InProcess(_) | LaunchKind::Attached(_)) {
            return Ok(PathBuf::new());
        }
        if matches!(kind, LaunchKind::Embedded) && binary.as_os_str().is_empty() {
            return std::env::current_exe().map_err(|cause| HarnessError::System {
                action: "find the path of this executable".to_owned(),
                cause,
            });
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        find(binary, &path).ok_or_else(|| HarnessError::NotInstalled {
            candidate: self.name.clone(),
            binary: binary.display().to_string(),
        })
    }
}

impl Candidate {
    /// Those of these directives that its program does not know, with these modules loaded.
    ///
    /// It reads nothing but a short file in a folder of its own.
    pub(crate) fn unknown_directives(
        &self,
        names: BTreeSet<String>,
        modules: &[String],
    ) -> Result<BTreeSet<String>, HarnessError> {
        let binary = self.binary()?;
        let failed = |cause| HarnessError::System {
            action: format!("ask `{}` for its directives", binary.display()),
            cause,
        };
        let folder = tempfile::tempdir().map_err(failed)?;
        let file = folder.path().join("nginx.conf");
        let loads = modules.iter();
        let loads: String = loads
            .map(|path| format!("load_module \"{path}\";\n"))
            .collect();
        let mut unknown = BTreeSet::new();
        for name in names {
            let text = format!(
                "{loads}pid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{ \"{name}\"; }}\n"
            );
            std::fs::write(&file, text).map_err(failed)?;
            let output = Command::new(&binary)
                .arg("-t")
                .arg("-p")
                .arg(folder.path())
                .arg("-c")
                .arg(&file)
                .envs(private_environment(folder.path()))
                .stdin(Stdio::null())
                .output()
                .map_err(failed)?;
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            if told.contains(&format!("unknown directive \"{name}\"")) {
                unknown.insert(name);
            }
        }
        Ok(unknown)
    }
}

/// A path is taken as it is; a name is looked for on the `PATH`, then where servers usually are.
fn find(binary: &Path, path: &OsStr) -> Option<PathBuf> {
    if binary.components().count() > 1 {
        return is_executable(binary).then(|| binary.to_owned());
    }
    std::env::split_paths(path)
        .chain(SYSTEM.iter().map(PathBuf::from))
        .map(|folder| folder.join(binary))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn version(binary: &Path, asked: &VersionCommand) -> Result<Option<String>, HarnessError> {
    let failed = |cause| HarnessError::System {
        action: format!("run `{}`", binary.display()),
        cause,
    };
    let (mut printed, output) = std::io::pipe().map_err(failed)?;
    let mut command = Command::new(binary);
    // Some print it to one, some to the other.
    command
        .args(&asked.arguments)
        .envs(private_environment(Path::new(NOWHERE)))
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(failed)?)
        .stderr(output)
        .process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    // The command holds the ends that are written to: they have to be closed for the reading to end.
    drop(command);
    let group = Pid::from_child(&child);
    let (told, text) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was printed before a failure may hold the version.
        let _ = printed.read_to_end(&mut bytes);
        let _ = told.send(bytes);
    });
    let text = text.recv_timeout(VERSION.scaled());
    // Whoever is still there holds the pipe open; nobody else has this number before the child is waited for.
    let _ = kill_process_group(group, rustix::process::Signal::KILL);
    child.wait().map_err(failed)?;
    match text {
        Ok(bytes) => Ok(after(&String::from_utf8_lossy(&bytes), &asked.after)),
        Err(_) => {
            let words = format!("it did not tell its version within {:?}", VERSION.scaled());
            Err(failed(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                words,
            )))
        }
    }
}

/// No stage is there yet whose private directory it could have, and below this nothing can be kept.
const NOWHERE: &str = "/dev/null";

/// Programs answer in milliseconds.
const VERSION: Patience = Patience::new("version", std::time::Duration::from_secs(5));

fn after(printed: &str, before: &str) -> Option<String> {
    let (_, rest) = printed.split_once(before)?;
    let rest = rest
        .strip_prefix('v')
        .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or(rest);
    let version = rest.split([' ', '\n', '\r', '\t', ',', '(']).next()?;
    (!version.is_empty()).then(|| version.to_owned())
}

/// Debian keeps servers in folders that a user's `PATH` lacks; Homebrew and pkg have their own.
const SYSTEM: [&str; 5] = [
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child_program;

    #[test]
    fn the_version_is_the_word_after_the_mark() {
        assert_eq!(
            after("nginx version: nginx/1.22.1\n", "nginx/").as_deref(),
            Some("1.22.1")
        );
        assert_eq!(after("something else", "nginx/"), None);
        // Caddy's own builds say `v`, Debian's do not.
        assert_eq!(after("v2.11.7 h1:abc=\n", "").as_deref(), Some("2.11.7"));
    }

    #[test]
    fn a_program_that_never_tells_is_given_up() {
        let asked = VersionCommand {
            arguments: child_program::arguments("sleep"),
            after: String::new(),
        };
        let error = version(&std::env::current_exe().unwrap(), &asked).unwrap_err();
        assert!(
            error.in_full().contains("did not tell its version"),
            "{error:?}"
        );
    }

    #[test]
    fn a_name_is_looked_for_and_a_path_is_not() {
        let itself = std::env::current_exe().unwrap();
        let (folder, name) = (itself.parent().unwrap(), itself.file_name().unwrap());
        let path = std::env::join_paths([Path::new("/no/such/folder"), folder]).unwrap();
        assert_eq!(find(name.as_ref(), &path), Some(itself.clone()));
        assert_eq!(find(&Path::new(".").join(name), &path), None);
        assert_eq!(find(Path::new("proxyproof-no-such"), &path), None);
    }

    #[test]
    fn a_missing_program_is_named() {
        let candidate = Candidate::named("nginx").unwrap();
        let error = candidate.with_binary("/no/such/nginx").installation();
        assert_eq!(
            error.unwrap_err().to_string(),
            "candidate `nginx` needs `/no/such/nginx`, which is not installed"
        );
    }
}
