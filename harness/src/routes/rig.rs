//! The stage of a trial: the candidate, with an echo behind every upstream it names, and new tables by reload.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use proxyproof_mocks::echo::RunningEcho;
use proxyproof_oracle::location::NginxVersion;

use super::lane::Lane;
use super::subject::Subject;
use crate::Ask;
use crate::candidate::{Candidate, address};
use crate::deployment::Deployment;
use crate::error::HarnessError;
use crate::patience::{Patience, RanOut};
use crate::protocol::Protocol;
use crate::stage::{RunningStage, Stage};

/// A change to what the candidate loads, and the oracle does not read.
pub(super) type Twist = fn(&str) -> String;

/// A running candidate that takes one table after another.
#[derive(Debug)]
pub(super) struct Rig {
    stage: RunningStage,
    echoes: BTreeMap<String, RunningEcho>,
    generation: u64,
    twist: Option<Twist>,
    pub(super) version: NginxVersion,
}

/// What became of a table.
#[derive(Debug)]
pub(super) enum Loaded {
    /// It answers.
    Serving,
    /// The candidate's own check refuses it.
    Refused(Vec<String>),
}

impl Rig {
    pub(super) async fn start(
        candidate: &Candidate,
        deployment: Option<&Deployment>,
        twist: Option<Twist>,
    ) -> Result<Self, HarnessError> {
        let version = candidate
            .version
            .as_deref()
            .and_then(|version| version.parse().ok());
        let stage = Stage::of(candidate);
        let stage = match deployment {
            Some(deployment) => stage.deployment(deployment),
            None => stage,
        };
        Ok(Self {
            stage: stage.start().await?,
            echoes: BTreeMap::new(),
            generation: 0,
            twist,
            version: version.unwrap_or_default(),
        })
    }

    pub(super) fn stage(&self) -> &RunningStage {
        &self.stage
    }

    /// The listeners that are asked.
    pub(super) fn protocols(&self) -> Vec<Protocol> {
        let direct = Protocol::DIRECT.into_iter();
        direct
            .filter(|protocol| self.stage.offers(*protocol))
            .collect()
    }

    /// A lane to the table that was loaded last.
    pub(super) fn lane(&self, protocol: Protocol) -> Lane {
        let upstreams: Vec<String> = self.echoes.keys().cloned().collect();
        Lane::new(
            Ask::new(&self.stage, protocol).client(),
            &upstreams,
            self.generation,
        )
    }

    /// Lets the candidate load a table by reload, and waits until it serves that one at every listener.
    pub(super) async fn load(&mut self, subject: &Subject) -> Result<Loaded, HarnessError> {
        for address in subject.upstreams() {
            if let Entry::Vacant(vacant) = self.echoes.entry(address) {
                let echo = RunningEcho::start(vacant.key()).await;
                let echo = echo.map_err(|cause| HarnessError::System {
                    action: format!("start the upstream of {}", vacant.key()),
                    cause,
                })?;
                vacant.insert(echo);
            }
        }
        self.generation += 1;
        let own = self
            .echoes
            .iter()
            .map(|(published, echo)| (published.clone(), echo.address().to_string()));
        let own: Vec<_> = own.collect();
        let text = self
            .twist
            .map_or_else(|| subject.text.clone(), |twist| twist(&subject.text));
        let text = Subject::marked(&text, self.generation, self.stage.deployment());
        let configuration = self.stage.configuration();
        configuration.rewrite(&subject.file, &address::replace(&text, &own))?;
        self.stage.reload()?;
        if self.serves(SOON).await.is_ok() {
            return Ok(Loaded::Serving);
        }
        match self.stage.validate().await {
            Err(HarnessError::Invalid { words, .. }) => return Ok(Loaded::Refused(words)),
            checked => checked?,
        }
        self.stage.check_alive()?;
        self.serves(Patience::RELOAD).await?;
        Ok(Loaded::Serving)
    }

    async fn serves(&self, patience: Patience) -> Result<(), RanOut> {
        for protocol in self.protocols() {
            self.lane(protocol).is_served(patience).await?;
        }
        Ok(())
    }

    pub(super) async fn stop(self) -> Result<(), HarnessError> {
        self.stage.stop().await
    }
}

/// A reload takes some 20 ms; where it takes longer the candidate is asked whether it likes the configuration at all.
const SOON: Patience = Patience::new("soon", std::time::Duration::from_secs(2));
