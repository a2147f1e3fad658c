//! Latency under keepalive: the direct path, the reference, and NGINX where it is installed; 1 and 32 connections.
//!
//! Criterion asks one after the other; `proxyproof bench` lets them take turns, which a noisy machine needs.

mod stand;

use std::process::ExitCode;

use criterion::Criterion;
use proxyproof_benches::load::Target;

use self::stand::Stand;

fn main() -> ExitCode {
    stand::run(keepalive)
}

fn keepalive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keepalive");
    for stand in Stand::all() {
        let body = br#"{"status":"ok"}"#;
        let target = Target::get(stand.address(), &stand.host(), "/healthz", body);
        for connections in [1, 32] {
            stand.time(&mut group, &target, connections);
        }
        stand.end();
    }
    group.finish();
}
