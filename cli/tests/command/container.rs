//! `--container`, without an engine.

use crate::invocation::{Invocation, assert_told};

#[test]
#[cfg_attr(
    not(feature = "containers"),
    ignore = "this is a build without the feature `containers`"
)]
fn no_engine() {
    assert_told!(
        Invocation::new(&["run", "nginx", "--container"])
            .environment("DOCKER_HOST", "unix:///no/such.sock")
    );
}

#[test]
#[cfg_attr(
    feature = "containers",
    ignore = "this is a build with the feature `containers`"
)]
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
