//! `--container`, without an engine.

use crate::invocation::{Invocation, assert_told};

#[cfg(feature = "containers")]
#[test]
fn no_engine() {
    assert_told!(
        Invocation::new(&["run", "nginx", "--container"])
            .environment("DOCKER_HOST", "unix:///no/such.sock")
    );
}

#[cfg(not(feature = "containers"))]
#[test]
fn a_build_without_containers() {
    assert_told!(Invocation::new(&["run", "nginx", "--container"]));
}

#[test]
fn no_image_in_the_manifest() {
    assert_told!(Invocation::new(&[
        "run",
        "./candidates/forgetful",
        "--container"
    ]));
}

#[test]
fn a_container_and_a_build() {
    assert_told!(Invocation::new(&[
        "run",
        "nginx",
        "--container",
        "x:y",
        "--binary",
        "/x"
    ]));
}
