//! `init`: a manifest and a deployment out of a configuration.

use crate::invocation::{Invocation, assert_told};

#[test]
fn a_manifest_and_a_deployment() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = folder.path().join("my-site");
    let told = Invocation::new(&["init", "own/tree/nginx.conf", "--out"])
        .argument(&out)
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    let deployment = std::fs::read_to_string(out.join("deployment.toml"));
    insta::assert_snapshot!(deployment.expect("it was written"));
}

#[test]
fn the_site_that_is_meant_of_several() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = folder.path().join("chat");
    let told = Invocation::new(&["init", "sites/two-gateways/sites.conf", "--out"])
        .argument(&out)
        .argument("--host")
        .argument("chat.example.org")
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    let deployment = std::fs::read_to_string(out.join("deployment.toml"));
    let deployment = deployment.expect("it was written");
    assert!(deployment.contains("\"open-webui:8080\""), "{deployment}");
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("deployment.toml"), "mine").expect("it can be written");
    assert_told!(Invocation::new(&["init", "own/published.conf", "--out"]).argument(folder.path()));
}

#[test]
fn a_configuration_without_a_site() {
    assert_told!(Invocation::new(&[
        "init",
        "own/no_server.conf",
        "--out",
        "./not-made"
    ]));
}
