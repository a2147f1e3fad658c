//! Latency under keepalive: the direct path, the reference, and NGINX where it is installed; 1 and 32 connections.
//!
//! Criterion asks one after the other; `proxyproof bench` lets them take turns, which a noisy machine needs.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use proxyproof_benches::load::{Arrivals, Session, Target};
use proxyproof_harness::{Candidate, Protocol, Stage};

fn main() -> ExitCode {
    // The stage starts the embedded candidate as another process of this very executable.
    let typed: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, _, config] = typed.as_slice()
        && verb == "__reference"
    {
        return match proxyproof_reference::run(Path::new(config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let mut criterion = Criterion::default().configure_from_args();
    keepalive(&mut criterion);
    criterion.final_summary();
    ExitCode::SUCCESS
}

fn keepalive(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let mut group = criterion.benchmark_group("keepalive");
    for name in ["direct", "reference", "nginx-corrected"] {
        let candidate = if name == "direct" { "reference" } else { name };
        let candidate = Candidate::named(candidate).expect("it is in the gallery");
        // NGINX is optional here.
        let Ok(candidate) = candidate.installed() else {
            continue;
        };
        let stage = runtime
            .block_on(Stage::of(&candidate).start())
            .expect("the stage starts");
        let address = match name {
            "direct" => stage.cpa().address(),
            _ => stage.listener(Protocol::H1),
        };
        let host = &stage.deployment().hosts.api;
        let mut target = Target::get(address, host, "/healthz", br#"{"status":"ok"}"#);
        if name != "direct" {
            target.proxy_protocol = stage.proxy_protocol(Protocol::H1).version();
        }
        for connections in [1, 32] {
            group.bench_function(BenchmarkId::new(name, connections), |bencher| {
                let mut session = Session::open(&target, connections).expect("it is connected");
                bencher.iter_custom(|times| {
                    let samples = session.run(Arrivals::Times(times), LONG_ENOUGH);
                    assert_eq!(samples.errors.total(), 0, "{:?}", samples.errors);
                    samples.took
                });
            });
        }
        runtime.block_on(stage.stop()).expect("the stage stops");
    }
    group.finish();
}

const LONG_ENOUGH: Duration = Duration::from_secs(600);
