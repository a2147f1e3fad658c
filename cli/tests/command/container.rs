//! `--container`: the same proxy in a container. It needs an engine with the image that the manifest names; CI has both.

use std::{
    env,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Invocation, assert_told, until};

const IMAGE: &str = "nginx:stable-alpine";

#[test]
fn the_suite_passes_in_a_container() {
    let Some(host) = engine() else { return };
    let told = Invocation::new(&[
        "run",
        "nginx-corrected",
        "--container",
        "--fail-on",
        "recommended",
    ])
    .environment("DOCKER_HOST", &host)
    .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(told.contains("nginx:stable-alpine (container)"), "{told}");
    assert!(of_this_machine(&host, std::process::id()).is_empty());
}

/// Another proxy, in an image whose tag says the version, as what holds of some versions only goes by it.
#[test]
fn haproxy_in_a_container() {
    let Some(host) = engine() else { return };
    let format = "{{.Repository}}:{{.Tag}}";
    let images = docker(&host, &["image", "ls", "haproxy", "--format", format]);
    let images = images.unwrap_or_default();
    let Some(image) = images.lines().next() else {
        assert!(env::var("CI").is_err(), "no image of HAProxy at {host}");
        return;
    };
    let told = Invocation::new(&["run", "haproxy", "--fail-on", "recommended"])
        .argument("--container")
        .argument(image)
        .environment("DOCKER_HOST", &host)
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(told.contains(&format!("{image} (container)")), "{told}");
}

#[test]
fn a_killed_command_leaves_no_container() {
    let Some(host) = engine() else { return };
    let ready = tempfile::tempdir().expect("a temporary directory");
    let ready = ready.path().join("ready.json");
    let (mut child, _temporary) =
        Invocation::new(&["up", "nginx-corrected", "--container", "--ready"])
            .argument(&ready)
            .environment("DOCKER_HOST", &host)
            .started();
    until("it serves", || ready.is_file());
    assert_eq!(of_this_machine(&host, child.id()).len(), 1);
    let process = Pid::from_child(&child);
    kill_process(process, Signal::KILL).expect("it runs");
    child.wait().expect("it is gone");
    until("its container is gone", || {
        of_this_machine(&host, child.id()).is_empty()
    });
}

/// The image has NGINX and nothing else: a container that can't be started is made nevertheless, and has to go.
#[test]
fn a_program_that_is_not_in_the_image() {
    let Some(host) = engine() else { return };
    let (child, _temporary) =
        Invocation::new(&["run", "haproxy", "-f", "routes/table", "--container", IMAGE])
            .environment("DOCKER_HOST", &host)
            .started();
    let process = child.id();
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("executable file not found"), "{told}");
    assert!(of_this_machine(&host, process).is_empty());
}

#[test]
fn no_engine() {
    assert_told!(
        Invocation::new(&["run", "nginx", "--container"])
            .environment("DOCKER_HOST", "unix:///no/such.sock")
    );
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

/// The engine's address where it has the image; a missing one is an error in CI.
fn engine() -> Option<String> {
    let host = env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let found = docker(&host, &["image", "inspect", IMAGE]).is_some();
    let required = env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        found || !required,
        "no engine with the image {IMAGE} at {host}"
    );
    found.then_some(host)
}

/// The containers that a process of this number has started.
fn of_this_machine(host: &str, process: u32) -> Vec<String> {
    let filter = format!("label=proxyproof={process}");
    let listed = docker(host, &["ps", "--all", "--quiet", "--filter", &filter]);
    let listed = listed.expect("the engine answers");
    listed.lines().map(str::to_owned).collect()
}

fn docker(host: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker")
        .args(arguments)
        .env("DOCKER_HOST", host)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}
