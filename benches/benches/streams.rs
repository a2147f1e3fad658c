//! A stream of server-sent events, and a round trip on a WebSocket: the direct path, the reference, and NGINX where it is
//! installed.
//!
//! An event's way can't be timed by criterion alone, so what is timed is a whole stream of the CPA mock, whose events are
//! 20 ms apart: what a proxy holds back shows as its difference to the direct path.

mod stand;

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
        let key = "X-Api-Key: test-key\r\n";
        let mut target = Target::ping(stand.address(), &stand.host(), "/v1/responses", key);
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

const STREAM: &[u8] =
    br#"{"model":"m-fast","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
/// How many events the model's stream has, its end included.
const EVENTS: u32 = 6;
