//! `matrix`: several candidates beside each other.

use crate::invocation::{Invocation, assert_told};

#[test]
fn what_somebody_does_not_pass() {
    assert_told!(Invocation::new(&[
        "matrix",
        "reference",
        "./candidates/forgetful",
        "-f",
        "identity",
    ]));
}

#[test]
fn markdown_with_every_row() {
    assert_told!(Invocation::new(&[
        "matrix",
        "reference",
        "./candidates/forgetful",
        "--format",
        "markdown",
        "--verbose",
        "-f",
        "upstream/connections_reused",
    ]));
}

#[test]
fn a_build_that_is_not_there() {
    assert_told!(Invocation::new(&[
        "matrix",
        "reference",
        "nginx=./no-such-build"
    ]));
}

#[test]
fn an_unknown_candidate() {
    assert_told!(Invocation::new(&["matrix", "ngnix"]));
}
