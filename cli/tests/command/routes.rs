//! `routes`: questions about configurations, and files that are none.

use std::io::Write as _;

use crate::invocation::{Invocation, assert_told, text_of};

const PUBLISHED: &str = "../../../candidates/nginx/published.conf";
const CORRECTED: &str = "../../../candidates/nginx/corrected.conf";

#[test]
fn the_table_of_a_candidate() {
    assert_told!(Invocation::new(&["routes", "show", "nginx"]));
}

#[test]
fn a_candidate_of_another_language() {
    assert_told!(Invocation::new(&["routes", "show", "reference"]));
}

#[test]
fn targets_as_lines() {
    assert_told!(Invocation::new(&[
        "routes",
        "match",
        PUBLISHED,
        "/health",
        "//health",
        "/health/",
        "/v0/management",
        "/..",
        "/caf\u{e9}",
    ]));
}

#[test]
fn targets_with_reasons() {
    assert_told!(Invocation::new(&[
        "routes",
        "match",
        PUBLISHED,
        "/v0/management/usage/x",
        "--why",
    ]));
}

#[test]
fn targets_as_json() {
    assert_told!(Invocation::new(&[
        "routes", "match", PUBLISHED, "/health", "--json",
    ]));
}

#[test]
fn raw_targets_of_standard_input() {
    let invocation = Invocation::new(&["routes", "match", PUBLISHED, "-", "--method", "POST"]);
    let (mut child, _temporary) = invocation.reading().started();
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin
        .write_all(b"/health\n/\xe9\r\n\n/setup?x=1")
        .expect("it is read");
    drop(stdin);
    insta::assert_snapshot!(text_of(&child.wait_with_output().expect("it ends")));
}

#[test]
fn a_configuration_that_does_what_is_wanted() {
    assert_told!(Invocation::new(&["routes", "check", PUBLISHED]));
}

#[test]
fn a_configuration_that_goes_elsewhere() {
    assert_told!(Invocation::new(&["routes", "check", "routes/trapped.conf"]));
}

#[test]
fn what_changes() {
    assert_told!(Invocation::new(&["routes", "diff", PUBLISHED, CORRECTED]));
}

#[test]
fn what_changes_for_a_pull_request() {
    let diff = [
        "routes",
        "diff",
        PUBLISHED,
        "routes/trapped.conf",
        "--format",
        "markdown",
    ];
    assert_told!(Invocation::new(&diff));
}

#[test]
fn no_file() {
    assert_told!(Invocation::new(&["routes", "check", "nowhere.conf"]));
}

#[test]
fn no_configuration() {
    assert_told!(Invocation::new(&["routes", "show", "contradictory.toml"]));
}

#[test]
fn an_include_that_is_missing() {
    assert_told!(Invocation::new(&[
        "routes",
        "show",
        "routes/incomplete.conf"
    ]));
}

#[test]
fn an_include_loop() {
    assert_told!(Invocation::new(&["routes", "show", "routes/endless.conf"]));
}

#[test]
fn a_deployment_with_a_route_twice() {
    assert_told!(Invocation::new(&[
        "routes",
        "check",
        PUBLISHED,
        "--deployment",
        "contradictory.toml",
    ]));
}

#[test]
fn a_version_that_is_none() {
    assert_told!(Invocation::new(&[
        "routes",
        "match",
        PUBLISHED,
        "/",
        "--nginx-version",
        "1.22",
    ]));
}

#[test]
fn targets_that_cannot_be_read() {
    let folder = std::fs::File::open(".").expect("it is there");
    assert_told!(Invocation::new(&["routes", "match", PUBLISHED, "-"]).input(folder));
}

#[test]
fn a_trial_of_another_language() {
    assert_told!(Invocation::new(&["routes", "prop", "reference"]));
}
