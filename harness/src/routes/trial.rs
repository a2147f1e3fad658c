//! A trial: tables and targets without end, until there were enough or somebody stops it.

use std::future::Future;
use std::sync::Arc;

use proxyproof_oracle::routes::{Confusion, Want, confusions};
use proxyproof_oracle::strategy::Generator;
use serde::Serialize;
use tokio::task::JoinSet;

use super::disagreement::Disagreement;
use super::observed::Observed;
use super::rig::{Loaded, Rig, Twist};
use super::shrinking::{Found, request};
use super::subject::Subject;
use crate::candidate::Candidate;
use crate::deployment::Deployment;
use crate::error::HarnessError;

/// What is to be tried.
#[derive(Clone, Debug)]
#[must_use = "nothing is tried before `run`"]
pub struct Trial {
    candidate: Candidate,
    deployment: Option<Deployment>,
    tables: Tables,
    cases: u64,
    seed: u64,
    twist: Option<Twist>,
}

/// Which tables the candidate loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// Its own configuration.
    Given,
    /// Generated ones, each for a thousand targets.
    Generated,
}

/// How much was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Tables that were loaded.
    pub tables: u64,
    /// Pairs of a table and a target, each asked at every listener.
    pub pairs: u64,
    /// Requests that were compared.
    pub requests: u64,
    /// Requests about which the oracle says nothing.
    pub not_modelled: u64,
}

/// What came of a trial.
#[derive(Clone, Debug, Serialize)]
pub struct TrialResult {
    /// Version of this shape in JSON.
    pub schema: u32,
    /// The candidate.
    pub candidate: String,
    /// Its version.
    pub version: Option<String>,
    /// What the tables and targets began with.
    pub seed: u64,
    /// How much was tried.
    pub tried: Tried,
    /// Where candidate and oracle disagree.
    pub disagreements: Vec<Disagreement>,
    /// Disagreements that did not happen again when they were looked at: the machine's doing, or a race in the candidate.
    pub unsteady: Vec<Disagreement>,
    /// Spellings of the deployment's paths that candidate and upstream read differently; each of them was tried.
    pub confusions: Vec<Confusion>,
    /// Whether it ended before all was tried.
    pub stopped: bool,
}

impl Trial {
    /// Targets around the candidate's own configuration.
    pub fn of(candidate: &Candidate) -> Self {
        Self {
            candidate: candidate.clone(),
            deployment: None,
            tables: Tables::Given,
            cases: 0,
            seed: 0,
            twist: None,
        }
    }

    /// Generated tables in the place of the candidate's own, which must stand in a frame of the harness.
    pub fn of_generated_tables(candidate: &Candidate) -> Self {
        Self {
            tables: Tables::Generated,
            ..Self::of(candidate)
        }
    }

    /// Another site than the published one.
    pub fn deployment(mut self, deployment: &Deployment) -> Self {
        self.deployment = Some(deployment.clone());
        self
    }

    /// How many pairs of a table and a target are tried.
    pub fn cases(mut self, cases: u64) -> Self {
        self.cases = cases;
        self
    }

    /// What tables and targets begin with: the same seed tries the same.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Changes what the candidate loads and the oracle does not read, to see that a disagreement is found.
    pub fn twist(mut self, twist: fn(&str) -> String) -> Self {
        self.twist = Some(twist);
        self
    }

    /// Tries until there were enough cases or disagreements, or `stop` is ready; `watch` is told after every round.
    ///
    /// # Errors
    /// What keeps the stage from running; a candidate without a configuration in NGINX's language gives `None`.
    pub async fn run(
        self,
        watch: &mut dyn FnMut(&Tried),
        stop: impl Future<Output = ()>,
    ) -> Result<Option<TrialResult>, HarnessError> {
        let Some(subject) = Subject::of(&self.candidate) else {
            return Ok(None);
        };
        let mut rig = Rig::start(&self.candidate, self.deployment.as_ref(), self.twist).await?;
        let mut course = Course {
            generator: Generator::new(self.seed),
            tried: Tried::default(),
            disagreements: Vec::new(),
            unsteady: Vec::new(),
            confusions: Vec::new(),
        };
        let stopped = tokio::select! {
            biased;
            () = stop => true,
            ran = course.run(&self, &subject, &mut rig, watch) => {
                ran?;
                false
            }
        };
        rig.stop().await?;
        Ok(Some(TrialResult {
            schema: 1,
            candidate: self.candidate.name,
            version: self.candidate.version,
            seed: self.seed,
            tried: course.tried,
            disagreements: course.disagreements,
            unsteady: course.unsteady,
            confusions: course.confusions,
            stopped,
        }))
    }
}

/// A trial under way; what it found so far outlives a stop.
struct Course {
    generator: Generator,
    tried: Tried,
    disagreements: Vec<Disagreement>,
    unsteady: Vec<Disagreement>,
    confusions: Vec<Confusion>,
}

impl Course {
    async fn run(
        &mut self,
        trial: &Trial,
        subject: &Subject,
        rig: &mut Rig,
        watch: &mut dyn FnMut(&Tried),
    ) -> Result<(), HarnessError> {
        let mut subject = subject.clone();
        let mut texts = given_texts(&subject);
        while self.tried.pairs < trial.cases && self.disagreements.len() < ENOUGH {
            if trial.tables == Tables::Generated {
                let draft = self.generator.draft();
                texts = draft.texts();
                subject = subject.with_table(&draft, rig.stage().deployment());
            }
            if trial.tables == Tables::Generated || self.tried.tables == 0 {
                self.load(&subject, rig).await?;
            }
            let left = usize::try_from(trial.cases - self.tried.pairs).unwrap_or(ROUND);
            let mut targets = self.generator.targets(&texts, ROUND.min(left));
            if trial.tables == Tables::Given && self.tried.pairs == 0 {
                self.confusions = confused(&subject, rig);
                targets.extend(
                    self.confusions
                        .iter()
                        .map(|found| found.target.clone().into_bytes()),
                );
            }
            self.round(&subject, targets, rig).await?;
            watch(&self.tried);
            // The next targets would show the same once more.
            if trial.tables == Tables::Given && !self.disagreements.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// A table that the oracle reads and the candidate refuses is a disagreement, too.
    async fn load(&mut self, subject: &Subject, rig: &mut Rig) -> Result<(), HarnessError> {
        self.tried.tables += 1;
        if let Loaded::Refused(words) = rig.load(subject).await? {
            let found = Found {
                subject: subject.clone(),
                target: b"/".to_vec(),
                protocol: rig.protocols()[0],
                observed: Observed::NotLoaded { words },
            };
            self.disagreements.push(found.told(rig, false));
        }
        Ok(())
    }

    async fn round(
        &mut self,
        subject: &Subject,
        targets: Vec<Vec<u8>>,
        rig: &mut Rig,
    ) -> Result<(), HarnessError> {
        self.tried.pairs += targets.len() as u64;
        let mut found = self.ask(subject, targets, rig).await;
        // One table goes wrong in one way more often than in many.
        found.sort_by_key(|found| found.target.len());
        found.truncate(SHRUNK_AT_MOST);
        for found in found {
            let place = self.disagreements.len();
            let told = found.told(rig, false);
            self.disagreements.push(told.clone());
            let shrunk = found.shrink(rig).await?;
            self.disagreements.truncate(place);
            match shrunk {
                Some(shrunk) => self.keep(shrunk.told(rig, true)),
                None => self.unsteady.push(told),
            }
            rig.load(subject).await?;
        }
        Ok(())
    }

    fn keep(&mut self, new: Disagreement) {
        let is_known = |known: &Disagreement| {
            known.target == new.target && known.configuration == new.configuration
        };
        if !self.disagreements.iter().any(is_known) {
            self.disagreements.push(new);
        }
    }

    /// Sends every target to every listener, over many connections at once.
    async fn ask(&mut self, subject: &Subject, targets: Vec<Vec<u8>>, rig: &Rig) -> Vec<Found> {
        let Ok(config) = subject.config() else {
            return Vec::new();
        };
        let (config, targets) = (Arc::new(config), Arc::new(targets));
        let mut tasks = JoinSet::new();
        for protocol in rig.protocols() {
            for number in 0..LANES {
                let mut lane = rig.lane(protocol);
                let (config, targets) = (Arc::clone(&config), Arc::clone(&targets));
                let template = request(rig, &lane, b"");
                tasks.spawn(async move {
                    let mut outcome = Outcome::default();
                    for target in targets.iter().skip(number).step_by(LANES) {
                        let observed = lane.ask(target).await;
                        let said = config.site.decide(&proxyproof_oracle::location::Request {
                            target: target.clone(),
                            ..template.clone()
                        });
                        let agrees = observed.agrees(&said.answer, &config.site);
                        match agrees.filter(|_| said.gates.is_empty()) {
                            Some(true) => outcome.agreed += 1,
                            Some(false) => outcome.found.push((target.clone(), observed)),
                            None => outcome.not_modelled += 1,
                        }
                    }
                    (protocol, outcome)
                });
            }
        }
        let mut all = Vec::new();
        for (protocol, outcome) in tasks.join_all().await {
            self.tried.requests += outcome.agreed + outcome.found.len() as u64;
            self.tried.not_modelled += outcome.not_modelled;
            all.extend(outcome.found.into_iter().map(|(target, observed)| Found {
                subject: subject.clone(),
                target,
                protocol,
                observed,
            }));
        }
        all
    }
}

/// What one lane saw.
#[derive(Default)]
struct Outcome {
    agreed: u64,
    not_modelled: u64,
    found: Vec<(Vec<u8>, Observed)>,
}

/// The texts of all locations that are paths, for targets around them.
fn given_texts(subject: &Subject) -> Vec<Vec<u8>> {
    let config = subject.config().ok();
    let servers = config.iter().flat_map(|config| &config.site.servers);
    let locations = servers.flat_map(|server| {
        server
            .table
            .locations()
            .map(|(_, location)| &location.notation)
    });
    let paths = locations
        .filter(|notation| notation.text.starts_with(b"/") && !notation.modifier.is_regex());
    paths.map(|notation| notation.text.clone()).collect()
}

/// What the oracle says is read in two ways; the candidate is asked about each.
fn confused(subject: &Subject, rig: &Rig) -> Vec<Confusion> {
    let deployment = rig.stage().deployment();
    let table = deployment.table();
    let upstreams = deployment.addresses();
    let want = Want {
        host: Some(&deployment.hosts.api),
        table: &table,
        upstreams: &upstreams,
    };
    subject
        .config()
        .map_or_else(|_| Vec::new(), |config| confusions(&config, want))
}

/// Connections to each listener at once.
const LANES: usize = 6;
/// Targets for each generated table, and between two looks at the progress.
const ROUND: usize = 1000;
/// With so many disagreements there is enough to mend.
const ENOUGH: usize = 3;
/// So many disagreements of one round are made small.
const SHRUNK_AT_MOST: usize = 3;
