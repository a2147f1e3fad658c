//! A stream of server-sent events, and a round trip on a WebSocket: the direct path, the reference, and NGINX where it is
//! installed.
//!
//! An event's way can't be timed by criterion alone, so what is timed is a whole stream of the CPA mock, whose events are
//! 20 ms apart: what a proxy holds back shows as its difference to the direct path.

mod stand;

use std::process::ExitCode;

use criterion::Criterion;
use proxyproof_benches::load::{Expected, Target};

use self::stand::Stand;

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
        let fields = &[
            ("X-Api-Key", "test-key"),
            ("Content-Type", "application/json"),
        ];
        let path = "/v1/chat/completions";
        let (address, expected) = (stand.address(), Expected::Events(EVENTS));
        let target = Target::post(address, &host, path, fields, STREAM, expected);
        stand.time(&mut group, &target, 1);
        stand.end();
    }
    group.finish();
}

fn round_trips(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("websocket_round_trip");
    for stand in Stand::all() {
        let key = "X-Api-Key: test-key\r\n";
        let target = Target::ping(stand.address(), &stand.host(), "/v1/responses", key);
        stand.time(&mut group, &target, 1);
        stand.end();
    }
    group.finish();
}

const STREAM: &[u8] =
    br#"{"model":"m-fast","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
/// How many events the model's stream has, its end included.
const EVENTS: u32 = 6;
