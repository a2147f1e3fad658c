//! Contenders take turns: direct A B C, direct A B C, …

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use proxyproof_harness::candidate::{Insertion, Stages};
use proxyproof_harness::deployment::{Location, LocationKind, RequestBody, Route};
use proxyproof_harness::stage::Guard;
use proxyproof_harness::{Candidate, Deployment, HarnessError, Protocol, RunningStage, Stage};
use proxyproof_mocks::{EventFraming, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{OnceCell, oneshot};

use crate::load::{Expected, LoadError, Samples, SeenEvents, Session, Target, Tls};
use crate::machine::{self, Machine};
use crate::placement::Cores;
use crate::profile::{Ask, Http, Measure, Profile, Through};
use crate::report::{Contender, Measured, Report, Round, Took, Validity};

/// Proxies to be compared with the direct path and each other.
#[derive(Debug)]
pub struct Contest {
    profile: Profile,
    deployment: Deployment,
    candidates: Vec<Candidate>,
    /// How many events a stream of the upstream has, once that was asked.
    events: OnceCell<u32>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ContestError {
    /// A stage could not be started or stopped.
    #[error(transparent)]
    Harness(#[from] HarnessError),
    /// A contender took no connections.
    #[error("`{contender}` can't be asked")]
    Load {
        /// Who.
        contender: String,
        /// Why.
        #[source]
        cause: LoadError,
    },
    /// More routes have no place in a configuration.
    #[error("`{contender}` has a configuration that no more routes can be put into")]
    NoPlace {
        /// Whose.
        contender: String,
    },
    /// A measure asks in a protocol that a contender does not speak.
    #[error("`{contender}` does not speak {protocol} in this deployment")]
    Unspoken {
        /// Who.
        contender: String,
        /// What.
        protocol: Protocol,
    },
    /// The upstream did not answer as it should without any proxy.
    #[error("can't ask the upstream itself")]
    Upstream(#[source] io::Error),
    /// A thread could not be started.
    #[error("can't start a client")]
    Client(#[source] io::Error),
}

/// One turn: the samples and what it took.
struct Turn {
    samples: Samples,
    took: Took,
    events: Vec<SeenEvents>,
}

impl Contest {
    /// Between these, with a profile's loads.
    #[must_use]
    pub fn new(profile: Profile, deployment: Deployment, candidates: Vec<Candidate>) -> Self {
        Self {
            profile,
            deployment,
            candidates,
            events: OnceCell::new(),
        }
    }

    /// How long it takes, staging apart.
    #[must_use]
    pub fn takes(&self) -> Duration {
        self.profile.takes(self.candidates.len() + 1)
    }

    /// Takes all turns. The calling thread's runtime has to be a current-thread one: the thread is the upstreams', and its
    /// CPU time is counted as theirs. `told` hears of each turn, and of how many there are.
    ///
    /// # Errors
    /// [`ContestError`]; everything that was started is stopped.
    pub async fn run(self, mut told: impl FnMut(&str, u64, u64)) -> Result<Report, ContestError> {
        let cores = Cores::of_this_process();
        cores.place_this_thread(self.profile.placement);
        let ran = self.rounds(&cores, &mut told).await;
        cores.release_this_thread();
        ran
    }

    async fn rounds(
        &self,
        cores: &Cores,
        told: &mut impl FnMut(&str, u64, u64),
    ) -> Result<Report, ContestError> {
        let names: Vec<String> = std::iter::once(DIRECT.to_owned())
            .chain(
                self.candidates
                    .iter()
                    .map(|candidate| candidate.name.clone()),
            )
            .collect();
        let measures = &self.profile.measures;
        let mut kept: Vec<Vec<Measured>> = names
            .iter()
            .map(|_| measures.iter().map(Measured::of).collect())
            .collect();
        let mut memory = vec![0; names.len()];
        let turns = u64::from(self.profile.rounds) * (names.len() * measures.len()) as u64;
        let mut turn_number = 0;
        let began = SystemTime::now();
        let mut watch = Watch::begin();
        let mut stages: Vec<RunningStage> = Vec::new();
        let guard = Guard::start().map_err(ContestError::Client)?;
        let sites = self.sites()?;
        for round in 0..self.profile.rounds {
            watch.probe();
            for (measure_index, measure) in measures.iter().enumerate() {
                let begins = round % self.profile.fresh_every == 0 && measure_index == 0;
                // What a proxy keeps of the connections before would hide what it needs for these.
                if begins || measure.ask.holds() {
                    stop(&mut stages, &mut memory, &mut watch).await?;
                    stages = self.stages(&sites, &guard).await?;
                }
                for step in 0..names.len() {
                    // Another begins each round, so that following somebody is nobody's lot.
                    let who = (step + round as usize) % names.len();
                    told(&names[who], turn_number, turns);
                    turn_number += 1;
                    let site = sites.iter().position(|site| site.routes == measure.routes);
                    let first = site.unwrap_or(0) * self.candidates.len();
                    let through = who.checked_sub(1).map(|index| &stages[first + index]);
                    let stage = through
                        .or(stages.first())
                        .expect("a contest has a candidate");
                    let client = self.client(stage, through, measure, round, cores).await?;
                    let turn = client.take_turn(&names[who]).await?;
                    if let Some(through) = through {
                        through.check_alive()?;
                    }
                    kept[who][measure_index].add(turn.round(stage));
                }
            }
        }
        stop(&mut stages, &mut memory, &mut watch).await?;
        let validity = watch.end(cores.count());
        let contenders = names.into_iter().zip(kept).zip(memory).enumerate();
        let contenders = contenders.map(|(index, ((name, measured), memory))| Contender {
            name,
            version: index
                .checked_sub(1)
                .and_then(|index| self.candidates[index].version.clone()),
            peak_memory: memory,
            measures: measured,
        });
        let machine = Machine::this(cores.count());
        Ok(Report::new(
            self.profile.clone(),
            machine,
            contenders.collect(),
            validity,
        )
        .begun(began)
        .doubted(cfg!(debug_assertions).then_some(DEBUG)))
    }

    /// Every candidate on every site, in this order.
    async fn stages(
        &self,
        sites: &[Site],
        guard: &Guard,
    ) -> Result<Vec<RunningStage>, ContestError> {
        let mut stages = Vec::new();
        for site in sites {
            for candidate in &site.candidates {
                let stage = Stage::of(candidate)
                    .deployment(&site.deployment)
                    .guard(guard);
                let stage = match self.room() {
                    Some(room) => stage.connections(room),
                    None => stage,
                };
                stages.push(stage.start().await?);
            }
        }
        Ok(stages)
    }

    /// The site as the deployment has it, and with as many more routes as each measure says.
    fn sites(&self) -> Result<Vec<Site>, ContestError> {
        let mut sites: Vec<Site> = Vec::new();
        for measure in &self.profile.measures {
            if sites.iter().all(|site| site.routes != measure.routes) {
                sites.push(self.site(measure.routes)?);
            }
        }
        Ok(sites)
    }

    fn site(&self, routes: usize) -> Result<Site, ContestError> {
        let mut deployment = self.deployment.clone();
        let mut candidates = self.candidates.clone();
        if routes > 0 {
            let more = (0..routes).map(more_route);
            deployment.routes.splice(0..0, more);
            for candidate in &mut candidates {
                if candidate.speaks_nginx() {
                    let name = candidate.name.clone();
                    let inserted = candidate.clone().inserting(&locations(routes));
                    *candidate = inserted.ok_or(ContestError::NoPlace { contender: name })?;
                }
            }
        }
        Ok(Site {
            routes,
            deployment,
            candidates,
        })
    }

    /// Room for more clients at once than proxies usually are told.
    fn room(&self) -> Option<usize> {
        let measures = self.profile.measures.iter();
        let most = measures
            .map(|measure| measure.connections * measure.streams)
            .max()?;
        (most > USUAL).then(|| most + SPARE)
    }

    /// The client of one turn.
    async fn client(
        &self,
        stage: &RunningStage,
        through: Option<&RunningStage>,
        measure: &Measure,
        round: u32,
        cores: &Cores,
    ) -> Result<Client, ContestError> {
        // What the upstream answers is asked next.
        stage.cpa().default_script(script(measure));
        let target = self.target(stage, through.is_some(), measure).await?;
        let proxies = through.map(RunningStage::processes).unwrap_or_default();
        for thread in proxies
            .iter()
            .flat_map(|process| machine::threads(*process))
        {
            cores.place_proxy(thread.0, self.profile.placement);
        }
        let connections = match target.streams {
            Some(_) => measure.connections,
            None => measure.connections * measure.streams,
        };
        Ok(Client {
            target,
            ask: measure.ask,
            connections,
            arrivals: measure.arrivals(round),
            warmup: Duration::from_millis(self.profile.warmup_ms),
            duration: Duration::from_millis(self.profile.round_ms),
            placement: self.profile.placement,
            cores: cores.clone(),
            proxies,
            upstream: thread_id(),
            ledger: stage.ledger().clone(),
            stop: Arc::default(),
        })
    }

    /// What is asked of a proxy, or of the upstream itself.
    async fn target(
        &self,
        stage: &RunningStage,
        through: bool,
        measure: &Measure,
    ) -> Result<Target, ContestError> {
        let host = &stage.deployment().hosts.api;
        let direct = stage.cpa().address();
        let protocol = match (through, measure.through, measure.protocol) {
            (false, ..) => None,
            (true, Through::Listener, Http::H1) => Some(Protocol::H1),
            (true, Through::Listener, Http::H2) => Some(Protocol::H2),
            (true, Through::Front, Http::H1) => Some(Protocol::ChainH1),
            (true, Through::Front, Http::H2) => Some(Protocol::ChainH2),
        };
        if let Some(protocol) = protocol.filter(|protocol| !stage.offers(*protocol)) {
            return Err(ContestError::Unspoken {
                contender: stage.candidate().name.clone(),
                protocol,
            });
        }
        let address = protocol.map_or(direct, |protocol| stage.listener(protocol));
        let tls = match protocol.filter(|protocol| stage.trust(*protocol).is_some()) {
            Some(protocol) => {
                let authority = stage.authority().certificate_der();
                let tls = Tls::new(authority, host, protocol.alpn());
                Some(tls.map_err(ContestError::Client)?)
            }
            None => None,
        };
        let target = match measure.ask {
            Ask::Health if measure.protocol == Http::H2 && through => {
                Target::get_h2(address, host, "/healthz", HEALTHY, measure.streams)
            }
            Ask::Health => Target::get(address, host, "/healthz", HEALTHY),
            Ask::Upload => {
                let body = vec![b'x'; measure.body];
                let stored = Expected::Whole {
                    status: 200,
                    body: STORED.as_bytes().to_vec(),
                };
                Target::post(address, host, "/v1/responses", &[], &body, stored)
            }
            Ask::RoundTrips | Ask::IdleSockets => {
                Target::ping(address, host, "/v1/responses", "X-Api-Key: test-key\r\n")
            }
            Ask::Events | Ask::IdleStreams => {
                let path = "/v1/chat/completions";
                let events = Expected::Events(match (measure.ask, measure.event_interval_us) {
                    // It never ends.
                    (Ask::IdleStreams, _) => u32::MAX,
                    (_, Some(interval)) => scripted_events(interval),
                    (_, None) => {
                        let one =
                            Target::post(direct, host, path, ASKS, STREAM, Expected::Events(0));
                        let events = || events_of(direct, &one.request);
                        let events = self.events.get_or_try_init(events).await;
                        *events.map_err(ContestError::Upstream)?
                    }
                });
                match measure.protocol {
                    Http::H2 if through => {
                        let streams = measure.streams;
                        Target::post_h2(address, host, path, ASKS, STREAM, events, streams)
                    }
                    _ => Target::post(address, host, path, ASKS, STREAM, events),
                }
            }
        };
        Ok(Target {
            proxy_protocol: protocol.and_then(|protocol| stage.proxy_protocol(protocol).version()),
            tls,
            ..target
        })
    }
}

/// How many events a stream has whose interval, in microseconds, the profile says.
fn scripted_events(interval: u64) -> u32 {
    let fit = SCRIPTED_STREAM / interval.max(1);
    u32::try_from(fit.clamp(3, SCRIPTED_EVENTS)).expect("it is at most the constant")
}

/// What the upstream does in place of serving.
fn script(measure: &Measure) -> Option<Script> {
    match (measure.ask, measure.event_interval_us) {
        (Ask::Upload, _) => Some(Script::new().read_body().reply(200, "text/plain", STORED)),
        (Ask::IdleStreams, _) => Some(
            Script::new()
                .sse_head(EventFraming::Chunked)
                .event("held")
                .until_peer_gone(),
        ),
        (Ask::Events, Some(interval)) => {
            let begun = Script::new().sse_head(EventFraming::Chunked);
            let pause = Duration::from_micros(interval);
            let events = (0..scripted_events(interval))
                .fold(begun, |script, _| script.event(EVENT).pause(pause));
            Some(events.last_chunk())
        }
        _ => None,
    }
}

/// A site with so many routes more than the deployment has, and who serves it.
struct Site {
    routes: usize,
    deployment: Deployment,
    candidates: Vec<Candidate>,
}

/// Exact paths and prefixes in turn, to the upstream that has everything else, too.
fn more_route(number: usize) -> Route {
    let (kind, path) = match number % 2 {
        0 => (LocationKind::Exact, format!("/more/{number:05}")),
        _ => (LocationKind::Prefix, format!("/more/{number:05}/")),
    };
    Route {
        location: Location { kind, path },
        upstream: "cpa".to_owned(),
        request_body: RequestBody::default(),
    }
}

/// The same in NGINX's language, for the configurations of the gallery.
fn locations(routes: usize) -> Insertion {
    let location = |number| {
        let route = more_route(number);
        format!(
            " location {} {{ proxy_pass http://cpa_backend; }}",
            route.location
        )
    };
    Insertion {
        after: "client_max_body_size 100m;".to_owned(),
        text: (0..routes).map(location).collect(),
        on: Stages::All,
    }
}

/// Tells a client that nobody waits for it.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a load thread needs.
struct Client {
    target: Target,
    ask: Ask,
    connections: usize,
    arrivals: crate::load::Arrivals,
    warmup: Duration,
    duration: Duration,
    placement: crate::Placement,
    cores: Cores,
    proxies: Vec<u32>,
    upstream: u32,
    ledger: proxyproof_mocks::Ledger,
    stop: Arc<AtomicBool>,
}

impl Client {
    /// Asks on a thread of its own.
    async fn take_turn(self, contender: &str) -> Result<Turn, ContestError> {
        let _stop = StopOnDrop(Arc::clone(&self.stop));
        let (done, turn) = oneshot::channel();
        std::thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || {
                // Nobody waits any more when the contest was given up.
                let _ = done.send(self.run());
            })
            .map_err(ContestError::Client)?;
        let turn = turn.await;
        let turn = turn.map_err(|error| ContestError::Client(io::Error::other(error)))?;
        turn.map_err(|cause| ContestError::Load {
            contender: contender.to_owned(),
            cause,
        })
    }

    fn run(self) -> Result<Turn, LoadError> {
        self.cores.place_this_thread(self.placement);
        let memory = machine::resident_memory(&self.proxies);
        let session = Session::open(&self.target, self.connections)?;
        let mut session = session.stop_when(&self.stop);
        match self.ask {
            Ask::IdleStreams => session.hold()?,
            Ask::IdleSockets => {}
            _ => {
                session.run(self.arrivals, self.warmup);
                session.take_events();
            }
        }
        let (before, accepted) = (self.cpu(), self.ledger.connections_accepted());
        let began = Instant::now();
        let samples = match self.ask.holds() {
            true => self.wait(),
            false => session.run(self.arrivals, self.duration),
        };
        let (after, wall) = (self.cpu(), began.elapsed());
        let grown = machine::resident_memory(&self.proxies).saturating_sub(memory);
        let [client, proxy, upstream] = [0, 1, 2].map(|who| after[who].saturating_sub(before[who]));
        Ok(Turn {
            samples,
            took: Took {
                cpu: [client, proxy, upstream],
                connects: self.ledger.connections_accepted() - accepted,
                wall,
                memory_each: grown as f64 / self.held() as f64,
            },
            events: session.take_events(),
        })
    }

    /// How many exchanges there are at once.
    fn held(&self) -> usize {
        self.connections * self.target.streams.unwrap_or(1)
    }

    /// Nothing is asked for that long.
    fn wait(&self) -> Samples {
        let began = Instant::now();
        while began.elapsed() < self.duration && !self.stop.load(Ordering::Relaxed) {
            std::thread::park_timeout(LOOK.min(self.duration));
        }
        Samples::held(self.held(), began.elapsed())
    }

    /// CPU time of client, proxy and upstream until now, in nanoseconds.
    fn cpu(&self) -> [u64; 3] {
        [
            machine::cpu_of_thread(thread_id()),
            machine::cpu_of(&self.proxies),
            machine::cpu_of_thread(self.upstream),
        ]
    }
}

impl Turn {
    /// With the delays of its events, which the ledger of its stage knows the writes of.
    fn round(mut self, stage: &RunningStage) -> (Round, Samples) {
        for seen in std::mem::take(&mut self.events) {
            let Some(arrival) = stage.ledger().arrivals(seen.probe).pop() else {
                continue;
            };
            // The head is a write of its own, or comes with the first event; the end of the body comes last.
            let events = seen.at.len();
            let writes = arrival
                .writes
                .iter()
                .rev()
                .filter(|write| write.length > END_OF_BODY);
            let mut written: Vec<u64> = writes.take(events).map(|write| write.at.nanos()).collect();
            written.reverse();
            if written.len() == events {
                for (read, written) in seen.at.iter().zip(&written) {
                    self.samples
                        .event_delay
                        .saturating_record(read.saturating_sub(*written));
                }
            }
        }
        (Round::of(&self.samples, &self.took), self.samples)
    }
}

/// Stops the stages of some rounds, and keeps how much memory each proxy had at its peak, and what it took in all.
async fn stop(
    stages: &mut Vec<RunningStage>,
    memory: &mut [u64],
    watch: &mut Watch,
) -> Result<(), HarnessError> {
    for (index, stage) in stages.drain(..).enumerate() {
        let processes = stage.processes();
        let peak = machine::peak_memory(&processes);
        watch.proxies += machine::cpu_of(&processes);
        let who = index % (memory.len() - 1) + 1;
        memory[who] = memory[who].max(peak);
        stage.stop().await?;
    }
    Ok(())
}

/// How many events the upstream itself answers with.
async fn events_of(address: std::net::SocketAddr, request: &[u8]) -> io::Result<u32> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    while memchr::memmem::find(&answer, b"\r\n0\r\n\r\n").is_none() {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let events = memchr::memmem::find_iter(&answer, b"\n\n").count();
    u32::try_from(events).map_err(io::Error::other)
}

fn thread_id() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}

/// What the machine did besides.
struct Watch {
    began: Instant,
    busy: Option<Duration>,
    own: u64,
    /// What the proxies took from their start to their end, in nanoseconds.
    proxies: u64,
    lost: Vec<f64>,
}

impl Watch {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            busy: machine::busy(),
            own: own_cpu(),
            proxies: 0,
            lost: Vec::new(),
        }
    }

    fn probe(&mut self) {
        self.lost.push(machine::lost_share(PROBE));
    }

    fn end(self, cores: usize) -> Validity {
        let busy = machine::busy()
            .zip(self.busy)
            .map(|(now, then)| now.saturating_sub(then));
        let ours = (own_cpu() - self.own + self.proxies) as f64 / 1e9;
        let took = self.began.elapsed().as_secs_f64() * cores as f64;
        let foreign = busy.map_or(0.0, |busy| ((busy.as_secs_f64() - ours) / took).max(0.0));
        let lost = self.lost.iter().sum::<f64>() / self.lost.len().max(1) as f64;
        Validity {
            foreign_cpu: foreign,
            lost_time: lost,
        }
    }
}

/// The CPU time of this process, in nanoseconds; load threads that ended are in it.
fn own_cpu() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0)
}

/// Mocks, client and embedded proxy are slow then, the proxies of the system are not.
const DEBUG: &str = "proxyproof itself is a debug build: `cargo run --release`";
/// Who is asked without a proxy.
pub(crate) const DIRECT: &str = "direct";
const HEALTHY: &[u8] = br#"{"status":"ok"}"#;
/// The fields of a request for a stream.
const ASKS: &[(&str, &str)] = &[
    ("X-Api-Key", "test-key"),
    ("Content-Type", "application/json"),
];
const STREAM: &[u8] =
    br#"{"model":"m-fast","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
/// What an upload is answered with.
const STORED: &str = "stored";
/// The most events of a stream whose interval the profile says, and about how long it goes on, in microseconds.
const SCRIPTED_EVENTS: u64 = 20;
const SCRIPTED_STREAM: u64 = 500_000;
/// About as long as a piece of a completion.
const EVENT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}"#;
/// Fewer connections than any proxy of the gallery has room for.
const USUAL: usize = 400;
/// For those that are closing while others open.
const SPARE: usize = 500;
/// How often a stop is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// `0\r\n\r\n`.
const END_OF_BODY: u64 = 5;
/// How long a core is watched before each round.
const PROBE: Duration = Duration::from_millis(20);
