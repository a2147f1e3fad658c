//! `list`, `doctor` and `completions`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

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
fn kinds() {
    assert_told!(Invocation::new(&["list", "kinds"]));
}

#[test]
fn deployments() {
    assert_told!(Invocation::new(&["list", "deployments"]));
}

/// On a machine that has every proxy of the gallery, in some state, and nothing else.
#[test]
fn doctor() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in [
        ("nginx", "#!/bin/sh\necho nginx version: nginx/1.2.3\n"),
        ("haproxy", "#!/bin/sh\necho no version at all\n"),
        ("caddy", "#!/bin/sh\necho v2.3.4 h1:abc=\n"),
        ("apache2", "no program"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("writable");
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
    }
    let told = Invocation::new(&["doctor"])
        .environment("PATH", folder.path().to_str().expect("a UTF-8 path"))
        .environment("DOCKER_HOST", "unix:///no/such.sock")
        .told();
    // The columns are as wide as the longest path.
    insta::with_settings!({ filters => vec![(r" {2,}", "  "), (r"(/[^\s`]+)?/\.tmp\w+", "[TMP]")] }, {
        insta::assert_snapshot!(told)
    });
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
