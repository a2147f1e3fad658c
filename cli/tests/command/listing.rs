//! `list`, `doctor` and `completions`.

use crate::invocation::{Invocation, assert_told};

#[test]
fn scenarios() {
    assert_told!(Invocation::new(&[
        "list",
        "-f",
        "identity/forged_forwarded_for"
    ]));
}

#[test]
fn scenarios_that_nothing_means() {
    assert_told!(Invocation::new(&[
        "list",
        "-f",
        "identity/forged_forwarded_four"
    ]));
}

#[test]
fn candidates() {
    assert_told!(Invocation::new(&["list", "candidates"]));
}

#[test]
fn deployments() {
    assert_told!(Invocation::new(&["list", "deployments"]));
}

#[test]
fn doctor() {
    assert_told!(Invocation::new(&["doctor"]));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    let (mut child, _temporary) = Invocation::new(&["completions", "bash"]).started();
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let told = Invocation::new(&["completions", shell]).told();
        assert!(
            told.starts_with("exit code: 0\n----- stdout -----\n"),
            "{told}"
        );
        assert!(
            told.contains("explain") && !told.contains("__reference"),
            "{told}"
        );
    }
}
