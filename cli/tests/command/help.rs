//! Help is the surface that most people see first.

use crate::invocation::{Invocation, assert_told};

#[test]
fn short() {
    assert_told!(Invocation::new(&["-h"]));
}

#[test]
fn long() {
    assert_told!(Invocation::new(&["--help"]));
}

#[test]
fn run() {
    assert_told!(Invocation::new(&["run", "--help"]));
}

#[test]
fn routes() {
    assert_told!(Invocation::new(&["routes", "--help"]));
}

#[test]
fn routes_match() {
    assert_told!(Invocation::new(&["routes", "match", "--help"]));
}

#[test]
fn routes_prop() {
    assert_told!(Invocation::new(&["routes", "prop", "--help"]));
}

#[test]
fn list() {
    assert_told!(Invocation::new(&["list", "--help"]));
}

#[test]
fn explain() {
    assert_told!(Invocation::new(&["explain", "--help"]));
}

#[test]
fn doctor() {
    assert_told!(Invocation::new(&["doctor", "--help"]));
}

#[test]
fn up() {
    assert_told!(Invocation::new(&["up", "--help"]));
}

#[test]
fn mock() {
    assert_told!(Invocation::new(&["mock", "--help"]));
}

#[test]
fn mock_cpa() {
    assert_told!(Invocation::new(&["mock", "cpa", "--help"]));
}

#[test]
fn mock_usage() {
    assert_told!(Invocation::new(&["mock", "usage", "--help"]));
}

#[test]
fn mock_front() {
    assert_told!(Invocation::new(&["mock", "front", "--help"]));
}

#[test]
fn certs() {
    assert_told!(Invocation::new(&["certs", "--help"]));
}

#[test]
fn completions() {
    assert_told!(Invocation::new(&["completions", "--help"]));
}

#[test]
fn nothing_typed() {
    assert_told!(Invocation::new(&[]));
}

#[test]
fn version() {
    assert_told!(Invocation::new(&["--version"]));
}
