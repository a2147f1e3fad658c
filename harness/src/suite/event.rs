//! The interface between the runner and everything that shows or stores what it does.

use super::{CandidateName, Outcome, SuiteResult};

/// Something that happened in a run, in the order in which it happened.
#[derive(Clone, Copy, Debug)]
pub enum SuiteEvent<'a> {
    /// The candidate is up; this much will be asked.
    SuiteStarted {
        /// Who is asked.
        candidate: &'a CandidateName,
        /// The name of the deployment.
        deployment: &'a str,
        /// How many scenario-and-protocol pairs will be asked in each round, skipped ones included.
        entries: usize,
        /// How many rounds there will be.
        rounds: u32,
    },
    /// A round began; 1-based.
    RoundStarted(u32),
    /// A scenario began.
    ScenarioStarted {
        /// Its id.
        id: &'a str,
        /// The protocol it asks on.
        protocol: &'a str,
    },
    /// A scenario reached its verdict in this round.
    ScenarioFinished(&'a Outcome),
    /// The candidate died on the shared stage, and a new stage was started.
    StageRestarted {
        /// The last lines that the candidate wrote.
        log_tail: &'a str,
    },
    /// The run is over, or was stopped.
    SuiteFinished(&'a SuiteResult),
}

/// Something that is told what happens: a report or a progress display. One method for each kind of event.
#[expect(unused_variables, reason = "a sink names only what it listens to")]
pub trait Sink {
    /// The candidate is up.
    fn suite_started(
        &mut self,
        candidate: &CandidateName,
        deployment: &str,
        entries: usize,
        rounds: u32,
    ) {
    }
    /// A round began.
    fn round_started(&mut self, round: u32) {}
    /// A scenario began.
    fn scenario_started(&mut self, id: &str, protocol: &str) {}
    /// A scenario reached its verdict in this round.
    fn scenario_finished(&mut self, outcome: &Outcome) {}
    /// The candidate died on the shared stage, and a new stage was started.
    fn stage_restarted(&mut self, log_tail: &str) {}
    /// The run is over, or was stopped.
    fn suite_finished(&mut self, result: &SuiteResult) {}

    /// Hands an event to the method for its kind.
    fn on(&mut self, event: SuiteEvent<'_>) {
        match event {
            SuiteEvent::SuiteStarted {
                candidate,
                deployment,
                entries,
                rounds,
            } => {
                self.suite_started(candidate, deployment, entries, rounds);
            }
            SuiteEvent::RoundStarted(round) => self.round_started(round),
            SuiteEvent::ScenarioStarted { id, protocol } => self.scenario_started(id, protocol),
            SuiteEvent::ScenarioFinished(outcome) => self.scenario_finished(outcome),
            SuiteEvent::StageRestarted { log_tail } => self.stage_restarted(log_tail),
            SuiteEvent::SuiteFinished(result) => self.suite_finished(result),
        }
    }
}

/// Everybody who is told.
pub(crate) struct Sinks<'s, 'd> {
    sinks: &'s mut [&'d mut dyn Sink],
}

impl<'s, 'd> Sinks<'s, 'd> {
    pub(crate) fn new(sinks: &'s mut [&'d mut dyn Sink]) -> Self {
        Self { sinks }
    }

    pub(crate) fn tell(&mut self, event: SuiteEvent<'_>) {
        for sink in &mut *self.sinks {
            sink.on(event);
        }
    }
}
