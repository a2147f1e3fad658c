//! One call of the command in surroundings of its own.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A call, with a folder for its temporary files that must be empty in the end.
pub(crate) struct Invocation {
    command: Command,
    temporary: TempDir,
}

impl Invocation {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        // What is measured is a release build, whatever this test is compiled as.
        let command = std::env::var_os("PROXYPROOF_COMMAND");
        let mut command =
            Command::new(command.unwrap_or_else(|| env!("CARGO_BIN_EXE_proxyproof").into()));
        command
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command"))
            .env("TMPDIR", temporary.path())
            .env_remove("NO_COLOR")
            .env_remove("DOCKER_HOST")
            .env_remove("PROXYPROOF_PATIENCE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command, temporary }
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With a pipe to read from, for [`Invocation::started`].
    pub(crate) fn reading(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// With a file as standard input.
    pub(crate) fn input(mut self, file: std::fs::File) -> Self {
        self.command.stdin(file);
        self
    }

    /// Runs to the end; exit code and both streams as one text.
    pub(crate) fn told(self) -> String {
        let Self {
            mut command,
            temporary,
        } = self;
        let output = command.output().expect("the command starts");
        assert_empty(temporary.path());
        text_of(&output)
    }

    /// Starts, and gives the folder for its temporary files along.
    pub(crate) fn started(self) -> (Child, TempDir) {
        let Self {
            mut command,
            temporary,
        } = self;
        (command.spawn().expect("the command starts"), temporary)
    }
}

/// Exit code and both streams as one text.
pub(crate) fn text_of(output: &Output) -> String {
    let code = output
        .status
        .code()
        .map_or_else(|| "none".to_owned(), |code| code.to_string());
    let part = |name: &str, bytes: &[u8]| match bytes {
        [] => String::new(),
        bytes => format!("----- {name} -----\n{}", String::from_utf8_lossy(bytes)),
    };
    format!(
        "exit code: {code}\n{}{}",
        part("stdout", &output.stdout),
        part("stderr", &output.stderr)
    )
}

/// Sends what Ctrl-C sends.
pub(crate) fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).expect("it runs");
}

/// Nothing was left in the folder for temporary files.
pub(crate) fn assert_empty(folder: &Path) {
    let left: Vec<_> = folder
        .read_dir()
        .expect("it is there")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Compares with the snapshot, what differs from run to run replaced.
macro_rules! assert_told {
    ($invocation:expr) => {
        insta::with_settings!({
            filters => vec![
                (r"in \d+\.\d s", "in [TIME]"),
                (r"within \d+\.\d+ ?s", "within [TIME]"),
                (r"\d+\.\d s \(", "[TIME] ("),
                (r"\b[0-9a-f]{16}\b", "[PROBE]"),
                (r"connection #\d+, request \d+", "connection [NUMBER]"),
                (r"127\.0\.0\.1:\d{5}", "127.0.0.1:[PORT]"),
                (r"(/[^\s`]+)?/\.tmp\w+", "[TMP]"),
                (r"([Dd])ate: [^\n]+ GMT", "${1}ate: [TIME]"),
                (r"(proxyproof|reference|forgetful|cautious) 0\.\d+\.\d+", "$1 [VERSION]"),
                (
                    r"(?m)^(nginx\S*|haproxy|caddy|apache) {2,}(not installed|unusable|unknown version|\S+) {2,}",
                    "$1 [HERE] ",
                ),
                (r"(?m)^reference {2,}ready {2,}", "reference  ready  "),
            ],
            omit_expression => true,
        }, { insta::assert_snapshot!($invocation.told()) })
    };
}
pub(crate) use assert_told;

/// Looks until it is so, for a minute.
#[expect(
    clippy::disallowed_methods,
    reason = "a bounded look at another process"
)]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "waited for: {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
