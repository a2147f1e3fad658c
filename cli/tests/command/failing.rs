//! What can be wrong with what is typed and with what is installed, each with its exit code.

use crate::invocation::{Invocation, assert_told};

const ONE: &str = "identity/forged_forwarded_for";

#[test]
fn an_unknown_candidate() {
    assert_told!(Invocation::new(&["run", "ngnix"]));
}

#[test]
fn a_folder_without_a_manifest() {
    assert_told!(Invocation::new(&["run", "candidates/nobody"]));
}

#[test]
fn a_candidate_that_refuses_to_start() {
    assert_told!(Invocation::new(&["run", "candidates/refusing", "-f", ONE]));
}

#[test]
fn a_build_that_is_not_there() {
    assert_told!(Invocation::new(&[
        "run",
        "nginx",
        "--binary",
        "./no-such-build"
    ]));
}

#[test]
fn a_build_that_is_not_executable() {
    assert_told!(Invocation::new(&[
        "run",
        "nginx",
        "--binary",
        "./contradictory.toml"
    ]));
}

#[test]
fn a_build_that_is_a_folder() {
    assert_told!(Invocation::new(&[
        "run",
        "nginx",
        "--binary",
        "./candidates"
    ]));
}

#[test]
fn a_build_beside_the_path() {
    assert_told!(Invocation::new(&[
        "run",
        "nginx",
        "--binary",
        "contradictory.toml"
    ]));
}

#[test]
fn a_filter_that_selects_nothing() {
    assert_told!(Invocation::new(&[
        "run",
        "-f",
        "identity/forged_forwarded_fro"
    ]));
}

#[test]
fn a_level_that_leaves_nothing() {
    assert_told!(Invocation::new(&[
        "run",
        "-f",
        "host/unknown_refused",
        "--level",
        "required"
    ]));
}

#[test]
fn an_unknown_level() {
    assert_told!(Invocation::new(&["run", "--fail-on", "observed"]));
}

#[test]
fn no_jobs() {
    assert_told!(Invocation::new(&["run", "--jobs", "0"]));
}

#[test]
fn quiet_and_verbose() {
    assert_told!(Invocation::new(&["run", "-q", "-v"]));
}

#[test]
fn an_unknown_deployment() {
    assert_told!(Invocation::new(&["run", "--deployment", "cpa-two-host"]));
}

#[test]
fn a_configuration_for_another_deployment() {
    assert_told!(Invocation::new(&["run", "nginx", "--deployment", "ollama"]));
}

#[test]
fn a_contradictory_deployment() {
    assert_told!(Invocation::new(&[
        "run",
        "--deployment",
        "contradictory.toml"
    ]));
}

#[test]
fn a_report_that_cannot_be_written() {
    assert_told!(Invocation::new(&[
        "run",
        "-f",
        ONE,
        "--json",
        "nowhere/run.json"
    ]));
}
