//! A stream of server-sent events, and a round trip on a WebSocket: the direct path, the reference, and NGINX where it is
//! installed.
//!
//! An event's way can't be timed by criterion alone, so what is timed is a whole stream of the CPA mock, whose events are
//! 20 ms apart: what a proxy holds back shows as its difference to the direct path.

mod stand;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;

use criterion::{BenchmarkId, Criterion};
use proxyproof_benches::load::{Arrivals, Expected, Session, Target};

use self::stand::{LONG_ENOUGH, Stand};

fn main() -> ExitCode {
    stand::run(|criterion| {
        events(criterion);
        round_trips(criterion);
    })
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events");
    group.sample_size(10);
    for stand in Stand::all() {
        let host = stand.host();
        let fields = "X-Api-Key: test-key\r\nContent-Type: application/json\r\n";
        let path = "/v1/chat/completions";
        let (address, expected) = (stand.address(), Expected::Events(EVENTS));
        let mut target = Target::post(address, &host, path, fields, STREAM, expected);
        target.proxy_protocol = stand.proxy_protocol();
        group.bench_function(BenchmarkId::new(stand.name, 1), |bencher| {
            let mut session = Session::open(&target, 1).expect("it is connected");
            bencher.iter_custom(|times| {
                let samples = session.run(Arrivals::Times(times), LONG_ENOUGH);
                assert_eq!(samples.errors.total(), 0, "{:?}", samples.errors);
                samples.took
            });
        });
        stand.end();
    }
    group.finish();
}

fn round_trips(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("websocket_round_trip");
    for stand in Stand::all() {
        let mut socket = open(&stand);
        group.bench_function(BenchmarkId::new(stand.name, 1), |bencher| {
            bencher.iter(|| {
                socket.write_all(PING).expect("it is open");
                let mut pong = [0; PONG.len()];
                socket.read_exact(&mut pong).expect("it answers");
                assert_eq!(pong, PONG);
            });
        });
        // A proxy waits for its WebSockets when it is told to end.
        drop(socket);
        stand.end();
    }
    group.finish();
}

/// A WebSocket to the gateway (RFC 6455 section 4.1).
fn open(stand: &Stand) -> TcpStream {
    let mut stream = TcpStream::connect(stand.address()).expect("it listens");
    stream.set_nodelay(true).expect("a socket has this option");
    if let Some(version) = stand.proxy_protocol() {
        let client = "203.0.113.9:40000".parse().expect("an address");
        let header = version.encode(client, stand.address());
        stream.write_all(&header).expect("it is open");
    }
    let host = stand.host();
    let request = format!(
        "GET /v1/responses HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: test-key\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it is open");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("it answers");
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head);
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    stream
}

const STREAM: &[u8] =
    br#"{"model":"m-fast","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
/// How many events the model's stream has, its end included.
const EVENTS: u32 = 6;
/// A ping of four bytes, masked by zeros (RFC 6455 sections 5.2 and 5.5.2), and the pong to it.
const PING: &[u8] = b"\x89\x84\0\0\0\0ping";
const PONG: [u8; 6] = *b"\x8a\x04ping";
