//! A stage of `proxyproof up` for the time of one test.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A stage that answers; interrupted when dropped.
pub(crate) struct Stage {
    child: Option<Child>,
    folder: TempDir,
}

impl Stage {
    pub(crate) fn of(candidate: &str) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let child = Command::new(env!("CARGO_BIN_EXE_proxyproof"))
            .args(["up", candidate, "--ready"])
            .arg(folder.path().join("ready.json"))
            .stdin(Stdio::null())
            .stdout(fs::File::create(folder.path().join("lines"))?)
            .spawn()?;
        let mut stage = Self {
            child: Some(child),
            folder,
        };
        stage.wait()?;
        Ok(stage)
    }

    /// The file that `--ready` wrote.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// What it says.
    pub(crate) fn ready(&self) -> Result<Value, Failed> {
        let text = fs::read_to_string(self.ready_file())?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Ends it once it has told this, or will not any more; what it told of the requests.
    pub(crate) fn end_after(self, line: &str) -> Result<String, Failed> {
        let started = Instant::now();
        let lines = self.folder.path().join("lines");
        while !fs::read_to_string(&lines)?.contains(line) && started.elapsed() < TOLD {
            std::thread::yield_now();
        }
        self.end()
    }

    /// Ends it; what it told of the requests.
    pub(crate) fn end(mut self) -> Result<String, Failed> {
        self.interrupt()?;
        let text = fs::read_to_string(self.folder.path().join("lines"))?;
        let served = text.lines().filter(|line| line.contains(" → "));
        Ok(served.collect::<Vec<_>>().join("\n"))
    }

    fn wait(&mut self) -> Result<(), Failed> {
        let started = Instant::now();
        let child = self.child.as_mut().ok_or("it was started")?;
        while !self.folder.path().join("ready.json").exists() {
            if let Some(ended) = child.try_wait()? {
                return Err(format!("the stage ended: {ended}").into());
            }
            if started.elapsed() > UNDER_WAY {
                return Err("the stage does not answer".into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    fn interrupt(&mut self) -> Result<(), Failed> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        if let Some(pid) = Pid::from_raw(i32::try_from(child.id())?) {
            kill_process(pid, Signal::INT)?;
        }
        child.wait()?;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A test that failed has something better to say.
        let _ = self.interrupt();
    }
}

/// Runs a client to its end; what it printed.
pub(crate) fn output_of(command: &mut Command) -> Result<String, Failed> {
    // Nothing but loopback is reached, whatever a client would like to ask besides.
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, NOWHERE);
        command.env(variable.to_lowercase(), NOWHERE);
    }
    let output = command
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost")
        .env_remove("OPENAI_BASE_URL")
        .env_remove("ANTHROPIC_BASE_URL")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{:?} does not start: {error}", command.get_program()))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(out)
    } else {
        Err(format!("the client ended with {}\n{out}\n{told}", output.status).into())
    }
}

/// Far longer than starting takes on the slowest machine.
const UNDER_WAY: Duration = Duration::from_secs(60);
/// Far longer than the front takes to pass an end on.
const TOLD: Duration = Duration::from_secs(20);
/// The discard port, where nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9";
