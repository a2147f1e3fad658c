//! `up`: a whole stage, used and ended.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use crate::curl_line;
use crate::invocation::{Invocation, assert_empty, assert_told, interrupt, text_of};
use crate::printed_curls;

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
fn printed_curls_are_answered_by_the_embedded_proxy() {
    printed_curls::are_answered(&["up"], curl_line::ask);
}

/// A configuration of somebody's own that knows its public host only.
#[test]
fn printed_curls_are_answered_by_a_proxy_that_serves_one_host() {
    let told = printed_curls::are_answered(&["up", "candidates/cautious"], curl_line::ask);
    assert!(
        told.contains("cautious serves api.example.org only"),
        "{told}"
    );
}

/// What is printed is what this site serves, not what CPA would.
#[test]
fn printed_curls_are_those_of_the_site() {
    let told = printed_curls::are_answered(&["up", "--deployment", "below-a-path"], curl_line::ask);
    assert!(told.contains("/llm/v1/chat/completions'"), "{told}");
    assert!(told.contains("/llm/api/status'"), "{told}");
    assert!(!told.contains("OPENAI"), "{told}");
}

#[test]
fn the_domain_takes_the_place_of_the_host() {
    let asked = |arguments: &[&str]| printed_curls::are_answered(arguments, curl_line::ask);
    let told = asked(&["up", "candidates/cautious", "--domain", "localhost"]);
    assert!(told.contains("OPENAI_BASE_URL=http://localhost:"), "{told}");
    let told = asked(&["up", "--domain", "ai.example.net"]);
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
