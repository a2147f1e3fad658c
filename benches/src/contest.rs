//! Contenders take turns: direct A B C, direct A B C, …

use std::io;
use std::time::{Duration, Instant, SystemTime};

use proxyproof_harness::stage::Guard;
use proxyproof_harness::{Candidate, Deployment, HarnessError, Protocol, RunningStage, Stage};
use tokio::sync::OnceCell;

use crate::client::{ClientProgram, Order, Turn};
use crate::load::{LoadError, Samples};
use crate::machine::{self, Machine, Thread};
use crate::placement::Cores;
use crate::profile::{Ask, Measure, Profile};
use crate::question;
use crate::report::{Contender, Measured, Report, Round, Validity};
use crate::site::Site;

/// Proxies to be compared with the direct path and each other.
#[derive(Debug)]
pub struct Contest {
    profile: Profile,
    deployment: Deployment,
    candidates: Vec<Candidate>,
    /// What the client of each turn runs in.
    client: ClientProgram,
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
    /// The client's process could not be started, or failed.
    #[error("the client could not ask")]
    Client(#[source] io::Error),
}

impl Contest {
    /// Between these, with a profile's loads.
    #[must_use]
    pub fn new(
        profile: Profile,
        deployment: Deployment,
        candidates: Vec<Candidate>,
        client: ClientProgram,
    ) -> Self {
        Self {
            profile,
            deployment,
            candidates,
            client,
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
                    let order = self.order(stage, through, measure, round, cores).await?;
                    let turn = order.carry_out(&self.client, stage.ledger(), &names[who]);
                    let turn = turn.await?;
                    watch.others += turn.own_cpu;
                    let kept = &mut kept[who][measure_index];
                    if let Some(through) = through {
                        through.check_alive()?;
                        if round == 0 && measure.ask == Ask::Upload {
                            kept.passed_on = question::passes_on(through, measure).await;
                        }
                    }
                    kept.add(turn.round(stage));
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
                sites.push(Site::with(
                    measure.routes,
                    &self.deployment,
                    &self.candidates,
                )?);
            }
        }
        Ok(sites)
    }

    /// Room for more clients at once than proxies usually are told.
    fn room(&self) -> Option<usize> {
        let measures = self.profile.measures.iter();
        let most = measures
            .map(|measure| measure.connections * measure.streams)
            .max()?;
        (most > USUAL).then(|| most + SPARE)
    }

    /// What the client of one turn is told.
    async fn order(
        &self,
        stage: &RunningStage,
        through: Option<&RunningStage>,
        measure: &Measure,
        round: u32,
        cores: &Cores,
    ) -> Result<Order, ContestError> {
        // What the upstream answers is asked next.
        stage.cpa().default_script(question::script(measure));
        let target = question::target(stage, through.is_some(), measure, &self.events).await?;
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
        Ok(Order {
            target,
            ask: measure.ask,
            connections,
            arrivals: measure.arrivals(round),
            warmup: Duration::from_millis(self.profile.warmup_ms),
            duration: Duration::from_millis(self.profile.round_ms),
            placement: self.profile.placement,
            cores: cores.clone(),
            proxies,
            upstream: Thread::this(),
        })
    }
}

impl Turn {
    /// With the delays of its events, which the ledger of its stage knows the writes of.
    fn round(mut self, stage: &RunningStage) -> (Round, Samples) {
        for seen in std::mem::take(&mut self.events) {
            self.samples.saw(&seen);
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
                self.samples.delayed(&seen.at, &written);
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
        watch.others += machine::cpu_of(&processes);
        let who = index % (memory.len() - 1) + 1;
        memory[who] = memory[who].max(peak);
        stage.stop().await?;
    }
    Ok(())
}

/// What the machine did besides.
struct Watch {
    began: Instant,
    busy: Option<Duration>,
    own: u64,
    /// What proxies and clients took from their start to their end, in nanoseconds.
    others: u64,
    lost: Vec<f64>,
}

impl Watch {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            busy: machine::busy(),
            own: machine::own_cpu(),
            others: 0,
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
        let ours = (machine::own_cpu() - self.own + self.others) as f64 / 1e9;
        let took = self.began.elapsed().as_secs_f64() * cores as f64;
        let foreign = busy.map_or(0.0, |busy| ((busy.as_secs_f64() - ours) / took).max(0.0));
        let lost = self.lost.iter().sum::<f64>() / self.lost.len().max(1) as f64;
        Validity {
            foreign_cpu: foreign,
            lost_time: lost,
        }
    }
}

/// Mocks, client and embedded proxy are slow then, the proxies of the system are not.
const DEBUG: &str = "proxyproof itself is a debug build: `cargo run --profile release-lto`";
/// Who is asked without a proxy.
pub(crate) const DIRECT: &str = "direct";
/// Fewer connections than any proxy of the gallery has room for.
const USUAL: usize = 400;
/// For those that are closing while others open.
pub(crate) const SPARE: usize = 500;
/// `0\r\n\r\n`.
const END_OF_BODY: u64 = 5;
/// How long a core is watched before each round.
const PROBE: Duration = Duration::from_millis(20);
