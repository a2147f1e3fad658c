//! Signals stop a run: it reports what it has, and leaves nothing behind.

use std::{
    fs::DirEntry,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Invocation, assert_empty, text_of};

/// Far longer than starting takes on the slowest machine.
const UNDER_WAY: Duration = Duration::from_secs(30);

#[test]
fn ctrl_c() {
    assert!(stopped_by(Signal::INT, &["--no-isolation"]).starts_with("exit code: 130\n"));
}

#[test]
fn sigterm() {
    assert!(stopped_by(Signal::TERM, &["--no-isolation"]).starts_with("exit code: 143\n"));
}

/// In namespaces of its own, where the system allows them, the process that a signal is for is the same.
#[test]
fn sigterm_in_namespaces() {
    assert!(stopped_by(Signal::TERM, &[]).starts_with("exit code: 143\n"));
}

fn stopped_by(signal: Signal, more: &[&str]) -> String {
    let arguments = [&["run", "--repeat", "100000"], more].concat();
    let (child, temporary) = Invocation::new(&arguments).started();
    wait_for_a_stage(&child, temporary.path());
    kill_process(pid(&child), signal).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_empty(temporary.path());
    let told = text_of(&output);
    assert!(told.contains("STOPPED  "), "{told}");
    told
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id fits"))
        .expect("no process has the id 0")
}

/// In namespaces private directories are in memory that this process sees through that one.
fn wait_for_a_stage(child: &Child, temporary: &Path) {
    let started = Instant::now();
    let memory = format!("/proc/{}/root/dev/shm", child.id());
    let is_stage = |entry: &DirEntry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("proxyproof-")
    };
    let any = |folder: &Path| {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries.into_iter().any(|entry| is_stage(&entry))
    };
    while !any(temporary) && !any(Path::new(&memory)) {
        assert!(started.elapsed() < UNDER_WAY, "no stage was started");
        std::thread::yield_now();
    }
}
