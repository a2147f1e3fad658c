//! `--attach`: a proxy that runs already.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use proxyproof_harness::Candidate;
use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::Invocation;

/// An NGINX that somebody runs, with the corrected configuration on ports of its own.
struct Running {
    child: Child,
    addresses: Vec<(&'static str, SocketAddr)>,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let corrected =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../candidates/nginx/corrected.conf");
        let mut text = fs::read_to_string(corrected).expect("it is there");
        // Bound at the same time, so that they differ; outside of what outgoing connections are given.
        let mut held = Vec::new();
        let mut addresses = Vec::new();
        for (name, published) in [("cpa", 8317), ("usage", 18317), ("h1", 8003), ("h2c", 8004)] {
            let listener = free();
            let address = listener.local_addr().expect("it is bound");
            text = text.replace(&format!("127.0.0.1:{published}"), &address.to_string());
            addresses.push((name, address));
            held.push(listener);
        }
        drop(held);
        fs::write(folder.path().join("nginx.conf"), text).expect("it can be written");
        let user = if rustix::process::geteuid().is_root() {
            " user root;"
        } else {
            ""
        };
        let nginx = Candidate::named("nginx").expect("it is in the gallery");
        let nginx = nginx.installation().expect("it is installed");
        let child = Command::new(nginx.binary)
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "error.log", "-c", "nginx.conf", "-g"])
            .arg(format!("daemon off;{user}"))
            .spawn()
            .expect("NGINX starts");
        let running = Self {
            child,
            addresses,
            _folder: folder,
        };
        let started = Instant::now();
        while TcpStream::connect(running.address("h1")).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "NGINX does not listen"
            );
            std::thread::yield_now();
        }
        running
    }

    fn address(&self, name: &str) -> SocketAddr {
        let found = self.addresses.iter().find(|(other, _)| *other == name);
        found.expect("it has one").1
    }

    fn named(&self, name: &str) -> String {
        format!("{name}={}", self.address(name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

fn free() -> TcpListener {
    (20_000..32_000)
        .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok())
        .expect("a free port")
}

pub(crate) fn nothing_but_mocks_and_probes_is_started() {
    let mut running = Running::start();
    let mocks = format!("{},{}", running.named("cpa"), running.named("usage"));
    let listeners = format!("{},{}", running.named("h1"), running.named("h2c"));
    let told = Invocation::new(&["run", "nginx-corrected", "--fail-on", "recommended"])
        .argument("--attach")
        .argument(&listeners)
        .argument("--mock")
        .argument(&mocks)
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(
        told.contains("skipped  lifecycle/stop_drains: needs drain"),
        "{told}"
    );
    // Without a manifest, at one listener.
    let told = Invocation::new(&["run", "-f", "routes", "--attach"])
        .argument(running.named("h1"))
        .argument("--mock")
        .argument(&mocks)
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    assert!(told.contains("attached (attached)"), "{told}");
    assert!(
        running.child.try_wait().expect("it is ours").is_none(),
        "it still runs"
    );
}
