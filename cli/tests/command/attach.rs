//! `--attach`: a proxy that runs already, or does not.

use crate::invocation::{Invocation, assert_told};

#[test]
fn nobody_listens() {
    let told = Invocation::new(&[
        "run",
        "--mock",
        "cpa=127.0.0.1:0,usage=127.0.0.1:0",
        "--attach",
    ])
    // The port of tcpmux, which nobody serves any more.
    .argument("h1=127.0.0.1:1")
    .told();
    assert!(told.starts_with("exit code: 3\n"), "{told}");
    assert!(
        told.contains("candidate `attached` did not become ready"),
        "{told}"
    );
    assert!(told.contains("Connection refused"), "{told}");
}

#[test]
fn an_unknown_protocol() {
    assert_told!(Invocation::new(&["run", "--attach", "h3=127.0.0.1:8003"]));
}

#[test]
fn no_address() {
    assert_told!(Invocation::new(&["run", "--attach", "h1=localhost"]));
}
