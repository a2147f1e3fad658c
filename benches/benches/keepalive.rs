//! Latency under keepalive: the direct path, the reference, and NGINX where it is installed; 1 and 32 connections.
//!
//! Criterion asks one after the other; `proxyproof bench` lets them take turns, which a noisy machine needs.

mod stand;

use std::process::ExitCode;

use criterion::{BenchmarkId, Criterion};
use proxyproof_benches::load::{Arrivals, Session, Target};

use self::stand::{LONG_ENOUGH, Stand};

fn main() -> ExitCode {
    stand::run(keepalive)
}

fn keepalive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keepalive");
    for stand in Stand::all() {
        let mut target = Target::get(
            stand.address(),
            &stand.host(),
            "/healthz",
            br#"{"status":"ok"}"#,
        );
        target.proxy_protocol = stand.proxy_protocol();
        for connections in [1, 32] {
            group.bench_function(BenchmarkId::new(stand.name, connections), |bencher| {
                let mut session = Session::open(&target, connections).expect("it is connected");
                bencher.iter_custom(|times| {
                    let samples = session.run(Arrivals::Times(times), LONG_ENOUGH);
                    assert_eq!(samples.errors.total(), 0, "{:?}", samples.errors);
                    samples.took
                });
            });
        }
        stand.end();
    }
    group.finish();
}
