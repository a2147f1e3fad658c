//! `explain`.

use crate::invocation::{Invocation, assert_told};

#[test]
fn a_scenario() {
    assert_told!(Invocation::new(&[
        "explain",
        "identity/forged_forwarded_for"
    ]));
}

#[test]
fn a_finding() {
    assert_told!(Invocation::new(&[
        "explain",
        "identity.forwarded_for_appended"
    ]));
}

#[test]
fn something_misspelt() {
    assert_told!(Invocation::new(&[
        "explain",
        "identity/forged_forwarded_fro"
    ]));
}

#[test]
fn something_unheard_of() {
    assert_told!(Invocation::new(&["explain", "zzz"]));
}
