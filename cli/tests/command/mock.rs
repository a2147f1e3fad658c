//! `mock`: each part alone, until somebody ends it.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Invocation, assert_empty, assert_told, text_of};

/// Far longer than starting takes on the slowest machine.
const UNDER_WAY: Duration = Duration::from_secs(30);

/// Sends the signal, and compares all that was said with the snapshot.
macro_rules! assert_ended {
    ($child:expr, $signal:expr) => {
        let child: Child = $child;
        kill_process(pid(&child), $signal).expect("it runs");
        let output = child.wait_with_output().expect("it ends");
        insta::with_settings!({ filters => vec![(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]")] }, {
            insta::assert_snapshot!(text_of(&output))
        });
    };
}

#[test]
fn cpa() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let ready = folder.path().join("ready.json");
    let arguments = [
        "mock",
        "cpa",
        "--listen",
        "127.0.0.1:0",
        "--api-key",
        "k",
        "--management-key",
        "m",
        "--ready",
    ];
    let (child, temporary) = Invocation::new(&arguments).argument(&ready).started();
    let address = address_in(&ready);
    let answer = asked(
        &address,
        "GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k\r\nConnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"m-fast\""), "{answer}");
    assert_ended!(child, Signal::INT);
    assert_empty(temporary.path());
    insta::with_settings!({ filters => vec![(r":\d{5}\b", ":[PORT]"), (r#""port": \d+"#, r#""port": [PORT]"#)] }, {
        insta::assert_snapshot!("cpa_ready", text(&ready));
    });
}

#[test]
fn usage() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let ready = folder.path().join("ready.json");
    // Of an earlier run: it must not be taken for this one's.
    fs::write(&ready, "stale").expect("writable");
    let arguments = [
        "mock",
        "usage",
        "--cors-origin",
        "https://app.example",
        "--ready",
    ];
    let (child, temporary) = Invocation::new(&arguments).argument(&ready).started();
    let address = address_in(&ready);
    let request = "GET /usage-service/info HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example\r\nConnection: close\r\n\r\n";
    let answer = asked(&address, request);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("Access-Control-Allow-Origin: https://app.example\r\n"),
        "{answer}"
    );
    assert_ended!(child, Signal::TERM);
    assert_empty(temporary.path());
}

#[test]
fn front() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let tls = certificates(folder.path());
    let ready = folder.path().join("ready.json");
    let config = written(&folder.path().join("xray.json"), r#"[{"dest": 9}]"#);
    let (child, temporary) = front_of(&config, &tls)
        .argument("--ready")
        .argument(&ready)
        .started();
    let address = address_in(&ready);
    // No TLS: closed without a byte.
    assert_eq!(asked(&address, "GET / HTTP/1.1\r\n\r\n"), "");
    assert_ended!(child, Signal::INT);
    assert_empty(temporary.path());
}

#[test]
fn a_refused_table() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let tls = certificates(folder.path());
    let config = written(
        &folder.path().join("xray.json"),
        r#"[{"dest": 9, "path": "no-slash"}]"#,
    );
    assert_told!(front_of(&config, &tls));
}

#[test]
fn a_configuration_that_is_missing() {
    assert_told!(Invocation::new(&[
        "mock",
        "front",
        "--config",
        "missing.json",
        "--cert",
        "missing.pem",
        "--key",
        "missing.pem",
    ]));
}

#[test]
fn cpa_without_a_key() {
    assert_told!(Invocation::new(&["mock", "cpa"]));
}

#[test]
fn a_management_key_without_its_cpa() {
    assert_told!(Invocation::new(&["mock", "usage", "--management-key", "m"]));
}

#[test]
fn a_ready_file_that_cannot_be() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    assert_told!(
        Invocation::new(&["mock", "cpa", "--api-key", "k", "--ready"]).argument(folder.path())
    );
}

fn front_of(config: &Path, tls: &Path) -> Invocation {
    Invocation::new(&["mock", "front", "--config"])
        .argument(config)
        .argument("--cert")
        .argument(tls.join("certificate.pem"))
        .argument("--key")
        .argument(tls.join("key.pem"))
}

fn certificates(folder: &Path) -> std::path::PathBuf {
    let out = folder.join("tls");
    let told = Invocation::new(&["certs", "--out"]).argument(&out).told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    out
}

fn written(path: &Path, fallbacks: &str) -> std::path::PathBuf {
    let inbound = format!(
        r#"{{"protocol": "vless", "settings": {{"decryption": "none", "clients": [], "fallbacks": {fallbacks}}}}}"#
    );
    fs::write(path, inbound).expect("writable");
    path.to_owned()
}

/// Waits for the file, and takes the address out of it.
fn address_in(ready: &Path) -> String {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(ready).unwrap_or_default();
        if let Some((_, rest)) = text.split_once("\"listen\": \"") {
            let (address, _) = rest.split_once('"').expect("it is written whole");
            return address.to_owned();
        }
        assert!(started.elapsed() < UNDER_WAY, "nothing answers: {text}");
        std::thread::yield_now();
    }
}

fn asked(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it answers in text");
    answer
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it is there")
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id fits"))
        .expect("no process has the id 0")
}
