//! Signals stop a run: it reports what it has, and leaves nothing behind.

use std::{
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
    assert!(stopped_by(Signal::INT).starts_with("exit code: 130\n"));
}

#[test]
fn sigterm() {
    assert!(stopped_by(Signal::TERM).starts_with("exit code: 143\n"));
}

fn stopped_by(signal: Signal) -> String {
    let (child, temporary) = Invocation::new(&["run", "--repeat", "100000"]).started();
    wait_for_a_stage(temporary.path());
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

fn wait_for_a_stage(temporary: &Path) {
    let started = Instant::now();
    while temporary.read_dir().expect("it is there").next().is_none() {
        assert!(started.elapsed() < UNDER_WAY, "no stage was started");
        std::thread::yield_now();
    }
}
