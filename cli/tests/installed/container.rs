//! `--container`: the same proxy in a container.

use std::{
    env,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Invocation, until};

/// What the manifest of NGINX names.
pub(crate) const NGINX: &str = "nginx:stable-alpine";
/// Any image of it will do.
pub(crate) const HAPROXY: &str = "haproxy";

pub(crate) fn the_suite_passes_in_a_container() {
    let host = engine();
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
pub(crate) fn haproxy_in_a_container() {
    let host = engine();
    let image = image(HAPROXY).expect("the engine has it");
    let told = Invocation::new(&["run", "haproxy", "--fail-on", "recommended"])
        .argument("--container")
        .argument(&image)
        .environment("DOCKER_HOST", &host)
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(told.contains(&format!("{image} (container)")), "{told}");
}

pub(crate) fn a_killed_command_leaves_no_container() {
    let host = engine();
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
pub(crate) fn a_program_that_is_not_in_the_image() {
    let host = engine();
    let (child, _temporary) =
        Invocation::new(&["run", "haproxy", "-f", "routes/table", "--container", NGINX])
            .environment("DOCKER_HOST", &host)
            .started();
    let process = child.id();
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("executable file not found"), "{told}");
    assert!(of_this_machine(&host, process).is_empty());
}

/// The engine's address.
fn engine() -> String {
    env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned())
}

/// An image that the engine has, with its tag, of this name.
pub(crate) fn image(name: &str) -> Option<String> {
    let format = "{{.Repository}}:{{.Tag}}";
    let images = docker(&engine(), &["image", "ls", name, "--format", format])?;
    images.lines().next().map(str::to_owned)
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
