//! A stage for a benchmark of criterion, and what is asked of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use proxyproof_benches::load::{Arrivals, Session, Target};
use proxyproof_harness::{Candidate, Protocol, RunningStage, Stage};
use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;
use tokio::runtime::Runtime;

pub(crate) type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// The direct path or a proxy, with everything around it.
pub(crate) struct Stand {
    name: &'static str,
    stage: RunningStage,
    runtime: Runtime,
}

/// Runs benchmarks; the stage starts the embedded candidate as another process of this very executable.
pub(crate) fn run(benchmarks: impl FnOnce(&mut Criterion)) -> ExitCode {
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
    benchmarks(&mut criterion);
    criterion.final_summary();
    ExitCode::SUCCESS
}

impl Stand {
    /// The direct path, the reference, and NGINX where it is installed; each is staged when its turn comes.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let names = ["direct", "reference", "nginx-corrected"];
        names.into_iter().filter_map(Self::of)
    }

    fn of(name: &'static str) -> Option<Self> {
        let candidate = if name == "direct" { "reference" } else { name };
        let candidate = Candidate::named(candidate).expect("it is in the gallery");
        // NGINX is optional here.
        let candidate = candidate.installed().ok()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let stage = runtime.block_on(Stage::of(&candidate).start());
        Some(Self {
            name,
            stage: stage.expect("the stage starts"),
            runtime,
        })
    }

    pub(crate) fn host(&self) -> String {
        self.stage.deployment().hosts.api.clone()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self.name {
            "direct" => self.stage.cpa().address(),
            _ => self.stage.listener(Protocol::H1),
        }
    }

    /// The header that a connection begins with.
    fn proxy_protocol(&self) -> Option<ProxyVersion> {
        match self.name {
            "direct" => None,
            _ => self.stage.proxy_protocol(Protocol::H1).version(),
        }
    }

    /// Times exchanges on so many connections, every one of which has to be right.
    pub(crate) fn time(&self, group: &mut Group<'_>, target: &Target, connections: usize) {
        let target = Target {
            proxy_protocol: self.proxy_protocol(),
            ..target.clone()
        };
        group.bench_function(BenchmarkId::new(self.name, connections), |bencher| {
            let mut session = Session::open(&target, connections).expect("it is connected");
            bencher.iter_custom(|times| {
                let samples = session.run(Arrivals::Times(times), LONG_ENOUGH);
                assert_eq!(samples.errors.total(), 0, "{:?}", samples.errors);
                samples.took
            });
        });
    }

    pub(crate) fn end(self) {
        let Self { stage, runtime, .. } = self;
        runtime.block_on(stage.stop()).expect("the stage stops");
    }
}

const LONG_ENOUGH: Duration = Duration::from_secs(600);
