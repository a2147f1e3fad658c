//! A whole run: rounds of questions, and the result at the end.

use std::time::Instant;

use super::{
    CandidateName, Outcome, SCHEMA, Sink, SuiteEvent, SuiteResult, Summary, Tool,
    event::Sinks,
    judge::Judge,
    plan::Plan,
    round::{Ended, Round},
    shared::{SharedStage, Staging},
    tally::{Tally, stale_gaps},
};
use crate::{
    candidate::{Candidate, LaunchKind},
    deployment::Deployment,
    error::HarnessError,
    stage::{Guard, Keep},
};

/// A run that is about to be: who is asked what.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is asked before `run`"]
pub struct Suite<'a> {
    plan: &'a Plan,
    candidate: &'a Candidate,
    deployment: &'a Deployment,
    keep: Keep,
}

impl<'a> Suite<'a> {
    /// Asks `candidate` what `plan` says, as `deployment` wants it.
    pub fn new(plan: &'a Plan, candidate: &'a Candidate, deployment: &'a Deployment) -> Self {
        Self {
            plan,
            candidate,
            deployment,
            keep: Keep::default(),
        }
    }

    /// What becomes of the private directories.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
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
        let started = Instant::now();
        let mut sinks = Sinks::new(sinks);
        let mut stop = std::pin::pin!(stop);
        let guard = Guard::start().map_err(|cause| HarnessError::System {
            action: "start the guard".to_owned(),
            cause,
        })?;
        let staging = Staging {
            guard: &guard,
            candidate: self.candidate,
            deployment: self.deployment,
            keep: self.keep,
        };
        let judge = Judge {
            candidate: self.candidate,
        };
        let name = candidate_name(self.candidate);
        sinks.tell(SuiteEvent::SuiteStarted {
            candidate: &name,
            deployment: &self.deployment.name,
            entries: self.plan.asked().len(),
            rounds: self.plan.rounds,
        });
        let mut tally = Tally::default();
        let mut ended = Ended::Finished;
        for round in 1..=self.plan.rounds {
            sinks.tell(SuiteEvent::RoundStarted(round));
            let mut shared = SharedStage::new(staging);
            let asking = Round::new(self.plan, staging, judge, &mut shared);
            let (outcomes, how) = asking.ask(&mut sinks, stop.as_mut()).await?;
            shared.stop().await?;
            tally.add(outcomes);
            ended = how;
            if ended == Ended::Stopped {
                break;
            }
        }
        let result = self.result(name, tally.into_outcomes(), started, ended);
        sinks.tell(SuiteEvent::SuiteFinished(&result));
        Ok(result)
    }

    fn result(
        self,
        name: CandidateName,
        outcomes: Vec<Outcome>,
        started: Instant,
        ended: Ended,
    ) -> SuiteResult {
        SuiteResult {
            schema: SCHEMA,
            tool: Tool {
                name: "proxyproof".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            candidate: name,
            deployment: self.deployment.name.clone(),
            summary: Summary::of(&outcomes),
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            rounds: self.plan.rounds,
            interrupted: ended == Ended::Stopped,
            stale_gaps: stale_gaps(self.candidate, &outcomes),
            scenarios: outcomes,
        }
    }
}

fn candidate_name(candidate: &Candidate) -> CandidateName {
    CandidateName {
        name: candidate.name.clone(),
        version: candidate.version.clone().unwrap_or_default(),
        launch: match candidate.launch.kind {
            LaunchKind::Process => "process",
            LaunchKind::Embedded => "embedded",
        }
        .to_owned(),
    }
}
