//! A whole run: rounds of questions, and the result at the end.

use std::time::Instant;

use super::{
    CandidateName, Outcome, SCHEMA, Sink, SuiteEvent, SuiteResult, Summary, Tool,
    attempt::SCENARIO,
    event::Sinks,
    judge::Judge,
    plan::Plan,
    round::{Ended, Round, Stop},
    shared::{SharedStage, Staging},
    tally::{Tally, stale_gaps},
};
use crate::{
    candidate::Candidate,
    deployment::Deployment,
    error::HarnessError,
    patience::Patience,
    stage::{Guard, Keep},
};

/// A run that is about to be: who is asked what.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `run`"]
pub struct Suite<'a> {
    plan: &'a Plan,
    candidate: &'a Candidate,
    deployment: &'a Deployment,
    keep: Keep,
    patience: Patience,
    command: String,
}

impl<'a> Suite<'a> {
    /// Asks `candidate` what `plan` says, as `deployment` wants it.
    pub fn new(plan: &'a Plan, candidate: &'a Candidate, deployment: &'a Deployment) -> Self {
        Self {
            plan,
            candidate,
            deployment,
            keep: Keep::default(),
            patience: SCENARIO,
            command: format!("proxyproof run {}", candidate.name),
        }
    }

    /// What becomes of the private directories.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// How long one scenario may take on one protocol; a minute unless said otherwise.
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// What a reader has to type to ask again, without filters; `proxyproof run` and the name unless said otherwise.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// Asks everything, tells every sink what happens, and gives the result: a part of it when `stop` ended first.
    ///
    /// # Errors
    /// When the shared stage can't be started: nothing could be asked.
    pub async fn run(
        self,
        sinks: &mut [&mut dyn Sink],
        stop: impl Future<Output = ()>,
    ) -> Result<SuiteResult, HarnessError> {
        self.candidate.serves(self.deployment)?;
        let candidate = self.candidate.clone().on(self.deployment);
        let suite = Suite {
            candidate: &candidate,
            ..self
        };
        suite.run_on_its_site(sinks, stop).await
    }

    /// With a candidate whose gaps are those of the site.
    async fn run_on_its_site(
        self,
        sinks: &mut [&mut dyn Sink],
        stop: impl Future<Output = ()>,
    ) -> Result<SuiteResult, HarnessError> {
        let started = Instant::now();
        let guard = Guard::start().map_err(|cause| HarnessError::System {
            action: "start the guard".to_owned(),
            cause,
        })?;
        let name = candidate_name(self.candidate);
        let mut sinks = Sinks::new(sinks);
        sinks.tell(SuiteEvent::SuiteStarted {
            candidate: &name,
            deployment: &self.deployment.name,
            entries: self.plan.asked().len(),
            rounds: self.plan.rounds,
        });
        let (outcomes, ended) = self.ask(&guard, &mut sinks, std::pin::pin!(stop)).await?;
        let result = self.result(name, outcomes, started, ended);
        sinks.tell(SuiteEvent::SuiteFinished(&result));
        Ok(result)
    }

    /// Every round, each with a shared stage of its own.
    async fn ask(
        &self,
        guard: &Guard,
        sinks: &mut Sinks<'_, '_>,
        mut stop: Stop<'_>,
    ) -> Result<(Vec<Outcome>, Ended), HarnessError> {
        let staging = Staging {
            candidate: self.candidate,
            deployment: self.deployment,
            keep: self.keep,
            guard,
            patience: self.patience,
        };
        let judge = Judge {
            candidate: self.candidate,
            deployment: self.deployment,
            command: &self.command,
        };
        let mut tally = Tally::default();
        let mut controls: Vec<Outcome> = Vec::new();
        let mut ended = Ended::Finished;
        for round in 1..=self.plan.rounds {
            sinks.tell(SuiteEvent::RoundStarted(round));
            let mut shared = SharedStage::new(staging);
            let asking = Round::new(self.plan, staging, judge, &mut shared);
            let answers = asking.ask(sinks, stop.as_mut()).await?;
            shared.stop().await;
            tally.add(answers.outcomes);
            for control in answers.failed_controls {
                if !controls
                    .iter()
                    .any(|known| known.protocol == control.protocol)
                {
                    controls.push(control);
                }
            }
            ended = answers.ended;
            if ended == Ended::Stopped {
                break;
            }
        }
        controls.extend(tally.into_outcomes());
        Ok((controls, ended))
    }

    fn result(
        self,
        name: CandidateName,
        outcomes: Vec<Outcome>,
        started: Instant,
        ended: Ended,
    ) -> SuiteResult {
        let secrets = &self.candidate.secrets;
        secrets.masked_within(SuiteResult {
            schema: SCHEMA,
            tool: Tool::this(),
            candidate: name,
            deployment: self.deployment.name.clone(),
            site: self.deployment.conclusions.clone(),
            command: self.command,
            summary: Summary::of(&outcomes),
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            rounds: self.plan.rounds,
            interrupted: ended == Ended::Stopped,
            stale_gaps: stale_gaps(self.candidate, &outcomes),
            scenarios: outcomes,
        })
    }
}

fn candidate_name(candidate: &Candidate) -> CandidateName {
    CandidateName {
        name: candidate.name.clone(),
        version: candidate.version.clone().unwrap_or_default(),
        launch: candidate.launch.kind.name().to_owned(),
    }
}
