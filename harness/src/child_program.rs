//! Programs for tests to start: this very executable, whose arguments say which of them it is.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio, exit};
use std::time::Duration;

use crate::stage::guard;

/// A program that does this; see [`run`].
pub(crate) fn command(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // The test harness around it says that it runs a test.
    command.args(arguments(role)).stdout(Stdio::null());
    command
}

/// What makes this executable the program: the name of the only test that it runs, and one that no test has.
pub(crate) fn arguments(role: &str) -> Vec<String> {
    ["--exact", "--nocapture", PROGRAM, role]
        .map(str::to_owned)
        .to_vec()
}

/// Not a test of its own: the program that other tests start.
#[test]
fn run() {
    let mut arguments = std::env::args().skip_while(|argument| argument != PROGRAM);
    match arguments.nth(1).as_deref() {
        None => {}
        Some("guard") => guard::serve(),
        Some("fail") => fail(),
        Some("sleep") => sleep(),
        Some("sleep, whatever the signal") => {
            guard::ignore_signals();
            std::fs::write("ready", "now").unwrap();
            sleep();
        }
        Some("sleep, and have another do it") => {
            let mut child = command("sleep").spawn().unwrap();
            std::fs::write("child", child.id().to_string()).unwrap();
            child.wait().unwrap();
        }
        Some("leave the group, and sleep") => leave(),
        Some(other) => panic!("no program is called `{other}`"),
    }
}

#[expect(
    clippy::exit,
    reason = "a test that fails has an exit code of its own, which no test chooses"
)]
fn fail() -> ! {
    exit(3)
}

#[expect(
    clippy::zombie_processes,
    reason = "a program that goes into the background waits for nobody"
)]
fn leave() {
    let child = command("sleep").process_group(0).spawn().unwrap();
    std::fs::write("child", child.id().to_string()).unwrap();
}

/// Until somebody ends it; a test that failed may have forgotten it.
fn sleep() {
    std::thread::park_timeout(Duration::from_secs(60));
}

const PROGRAM: &str = "child_program::run";
