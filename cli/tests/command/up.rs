//! `up`: a whole stage, used and ended.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::invocation::{Invocation, assert_empty, assert_told, text_of};

/// Far longer than starting takes on the slowest machine.
const UNDER_WAY: Duration = Duration::from_secs(60);

#[test]
fn a_build_that_is_not_there() {
    assert_told!(Invocation::new(&[
        "up",
        "nginx",
        "--binary",
        "./no-such-build"
    ]));
}

#[test]
fn serves_and_tells() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let ready = folder.path().join("ready.json");
    let (child, temporary) = Invocation::new(&["up", "--ready"])
        .argument(&ready)
        .started();
    let told = text_in(&ready);
    let address = between(&told, "\"plain_url\": \"http://", "\"");
    let models = asked(address, "GET /v1/models", "");
    assert!(models.starts_with("HTTP/1.1 200 OK\r\n"), "{models}");
    let stream = r#"{"model":"m-fast","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
    let events = asked(address, "POST /v1/chat/completions", stream);
    assert!(events.contains("data: [DONE]\n\n"), "{events}");
    // By another address than a local one: allowed, since this is what `up` is for.
    let managed = asked(address, "GET /v0/management/debug", "");
    assert!(managed.starts_with("HTTP/1.1 200 OK\r\n"), "{managed}");
    let authority = fs::read_to_string(between(&told, "\"ca_file\": \"", "\""));
    assert!(
        authority
            .expect("it is there")
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_empty(temporary.path());
    insta::with_settings!({ filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r"(localhost|example\.org):\d+", "$1:[PORT]"),
        (r"/\S+/ca.pem", "[TMP]/ca.pem"),
        (r"\d+ bytes  \d+ ms", "[BYTES]  [TIME]"),
        // On a machine that takes more than a second for anything.
        (r"(?m)^.* under way\n", ""),
        (r"first \d+ ms", "first [TIME]"),
        (r"(?m)^\d\d:\d\d:\d\d\.\d{3} ", "[TIME] "),
    ] }, { insta::assert_snapshot!(text_of(&output)) });
    insta::with_settings!({ filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r#""(front|plain|h1|h2|cpa|usage)": \d+"#, "\"$1\": [PORT]"),
        (r#""/\S+/ca.pem""#, "\"[TMP]/ca.pem\""),
    ] }, { insta::assert_snapshot!("ready", told) });
}

#[test]
fn printed_curls_succeed_with_the_embedded_proxy() {
    printed_curls_succeed(&["up"]);
}

#[test]
fn printed_curls_succeed_with_the_published_configuration() {
    if is_installed("nginx") {
        printed_curls_succeed(&["up", "nginx"]);
    }
}

#[test]
fn printed_curls_succeed_with_the_corrected_configuration() {
    if is_installed("nginx") {
        printed_curls_succeed(&["up", "nginx-corrected"]);
    }
}

/// A configuration of somebody's own that knows its public host only.
#[test]
fn printed_curls_succeed_with_a_proxy_that_serves_one_host() {
    let told = printed_curls_succeed(&["up", "candidates/cautious"]);
    assert!(
        told.contains("cautious serves api.example.org only"),
        "{told}"
    );
}

#[test]
fn the_domain_takes_the_place_of_the_host() {
    let told = printed_curls_succeed(&["up", "candidates/cautious", "--domain", "localhost"]);
    assert!(told.contains("OPENAI_BASE_URL=http://localhost:"), "{told}");
    let told = printed_curls_succeed(&["up", "--domain", "ai.example.net"]);
    assert!(told.contains(" https://ai.example.net:"), "{told}");
}

#[test]
fn a_domain_that_is_none() {
    assert_told!(Invocation::new(&["up", "--domain", "ai.example.net:443"]));
}

#[test]
fn an_unknown_candidate() {
    assert_told!(Invocation::new(&["up", "ngnix"]));
}

#[test]
fn an_address_that_is_none() {
    assert_told!(Invocation::new(&["up", "--client-address", "203.0.113"]));
}

/// Runs every curl as it is printed, in a shell; gives what was printed.
fn printed_curls_succeed(arguments: &[&str]) -> String {
    if !is_installed("curl") {
        return arguments.join(" ");
    }
    let (mut child, temporary) = Invocation::new(arguments).started();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut told = String::new();
    while !told.contains("--http2") {
        let line = lines.next().expect("it goes on").expect("text");
        told.push_str(&line);
        told.push('\n');
    }
    let curls = told
        .lines()
        .filter(|line| line.starts_with("  curl "))
        .map(str::to_owned);
    let curls: Vec<String> = curls.collect();
    let failed: Vec<String> = curls
        .iter()
        .filter_map(|curl| failure(&format!("{curl} --fail --max-time 30")))
        .collect();
    interrupt(&child);
    let ended = child.wait().expect("it ends");
    assert_eq!(failed, Vec::<String>::new(), "{told}");
    assert_eq!((curls.len(), ended.code()), (6, Some(130)));
    assert_empty(temporary.path());
    told
}

/// What a shell says to a line that fails.
fn failure(line: &str) -> Option<String> {
    let output = Command::new("sh").args(["-c", line]).output();
    let output = output.expect("a shell starts");
    let told = text_of(&output);
    (!output.status.success() || output.stdout.is_empty()).then(|| format!("{line}\n{told}"))
}

/// Whether a program is there; in continuous integration it has to be.
pub(crate) fn is_installed(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = env::split_paths(&folders).collect();
    folders.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let is_there = folders.iter().any(|folder| folder.join(program).is_file());
    assert!(
        is_there || env::var_os("CI").is_none(),
        "continuous integration has no {program}"
    );
    is_there
}

pub(crate) fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id fits"));
    kill_process(pid.expect("no process has the id 0"), Signal::INT).expect("it runs");
}

/// Waits for the file, which is written whole.
pub(crate) fn text_in(ready: &Path) -> String {
    let started = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(ready) {
            return text;
        }
        assert!(started.elapsed() < UNDER_WAY, "nothing answers");
        std::thread::yield_now();
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect("it is told");
    rest.split_once(after).expect("it is told whole").0
}

/// The answer to one request with the key it needs, on a connection of its own.
fn asked(address: &str, line: &str, body: &str) -> String {
    let key = if line.contains("management") {
        "mgmt-key"
    } else {
        "test-key"
    };
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it answers in text");
    answer
}
