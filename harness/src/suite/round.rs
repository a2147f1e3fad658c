//! Asks everything once: most of it at the same time, on one stage.

use std::{collections::VecDeque, pin::Pin, time::Instant};

use tokio::task::{JoinError, JoinSet};

use super::{
    Outcome, SuiteEvent,
    attempt::Attempt,
    event::Sinks,
    judge::Judge,
    plan::{Asked, Plan},
    shared::{Death, SharedStage, Staging},
};
use crate::{
    candidate::{Candidate, Feature},
    check::THE_CANDIDATE_DIED,
    error::HarnessError,
    finding::Finding,
    patience::Patience,
    scenario::StageUse,
    stage::{RunningStage, Stage},
    verdict::Verdict,
};

/// Stages of their own that are up at once: each is a candidate process more, on a machine that may have two cores.
const OWN_STAGES_AT_ONCE: usize = 4;

/// A future that ends when the run has to.
pub(crate) type Stop<'s> = Pin<&'s mut (dyn Future<Output = ()> + 's)>;

/// Everything asked once.
pub(crate) struct Round<'r, 'a> {
    plan: &'r Plan,
    staging: Staging<'a>,
    judge: Judge<'a>,
    shared: &'r mut SharedStage<'a>,
    /// For those whose upstreams answer with errors.
    with_errors: SharedStage<'a>,
    outcomes: Vec<Option<Outcome>>,
    /// Places in the plan that are still to be asked.
    queue: VecDeque<usize>,
    running: JoinSet<(usize, Attempt)>,
    own_stages: usize,
    /// What ended on a shared stage whose candidate was dead then.
    suspects: Vec<(usize, Attempt)>,
    /// The last one that ended on a shared stage whose candidate was alive then.
    last_shared: Option<usize>,
    /// Controls that failed without being selected.
    failed_controls: Vec<Outcome>,
}

impl<'r, 'a> Round<'r, 'a> {
    pub(crate) fn new(
        plan: &'r Plan,
        staging: Staging<'a>,
        judge: Judge<'a>,
        shared: &'r mut SharedStage<'a>,
    ) -> Self {
        Self {
            plan,
            staging,
            judge,
            shared,
            with_errors: SharedStage::new(staging),
            outcomes: vec![None; plan.asked().len()],
            queue: order(plan, staging.candidate),
            running: JoinSet::new(),
            own_stages: 0,
            suspects: Vec::new(),
            last_shared: None,
            failed_controls: Vec::new(),
        }
    }

    /// The outcomes in the order of the plan, behind those of controls that failed and are no part of it; and whether it was
    /// stopped before its end.
    ///
    /// # Errors
    /// When the shared stage can't be started.
    pub(crate) async fn ask(
        mut self,
        sinks: &mut Sinks<'_, '_>,
        mut stop: Stop<'_>,
    ) -> Result<Answers, HarnessError> {
        let ended = tokio::select! {
            biased;
            () = stop.as_mut() => Ended::Stopped,
            done = self.ask_all(sinks) => done.map(|()| Ended::Finished)?,
        };
        self.running.shutdown().await;
        self.with_errors.stop().await;
        let asked = self.plan.asked().iter();
        let outcomes = asked.zip(self.outcomes).map(|(asked, outcome)| {
            outcome.unwrap_or_else(|| Judge::skip(*asked, "the run was stopped before its end"))
        });
        Ok(Answers {
            outcomes: outcomes.collect(),
            failed_controls: self.failed_controls,
            ended,
        })
    }

    async fn ask_all(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<(), HarnessError> {
        self.skip_what_makes_no_sense(sinks);
        self.ask_controls(sinks).await?;
        loop {
            self.start_what_may(sinks).await?;
            match self.running.join_next().await {
                Some(joined) => self.take(joined, sinks),
                None if self.suspects.is_empty() && !self.died_late() => return Ok(()),
                None => self.ask_suspects_alone(sinks).await?,
            }
        }
    }

    /// The candidate died when everything was asked: the last one who used it is a suspect then.
    fn died_late(&mut self) -> bool {
        let last = self
            .last_shared
            .take()
            .filter(|_| self.shared.death().is_some());
        self.suspects
            .extend(last.map(|index| (index, Attempt::clean())));
        !self.suspects.is_empty()
    }

    fn skip_what_makes_no_sense(&mut self, sinks: &mut Sinks<'_, '_>) {
        for index in std::mem::take(&mut self.queue) {
            let asked = self.plan.asked()[index];
            match self.judge.reason_to_skip(asked) {
                Some(reason) => self.finish(index, Judge::skip(asked, reason), sinks),
                None => self.queue.push_back(index),
            }
        }
    }

    /// Asks what has to hold first, and skips what depends on what does not.
    async fn ask_controls(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<(), HarnessError> {
        let plan = self.plan;
        let mut attempts = JoinSet::new();
        for control in plan.controls() {
            let wanted = |index: &usize| plan.asked()[*index].protocol == control.protocol;
            let makes_sense = self.judge.reason_to_skip(*control).is_none();
            if makes_sense && self.queue.iter().any(wanted) {
                let (stage, control) = (self.shared.get().await?, *control);
                let patience = self.staging.patience;
                attempts
                    .spawn(async move { (control, on_a_shared(&stage, control, patience).await) });
            }
        }
        while let Some(joined) = attempts.join_next().await {
            let (control, attempt) = joined.expect("an attempt catches panics");
            let outcome = self.judge.judge(control, attempt);
            let failed = outcome.verdict == Verdict::Fail;
            let is_it = |index: &usize| {
                let asked = plan.asked()[*index];
                asked.scenario.id == control.scenario.id && asked.protocol == control.protocol
            };
            match self.queue.iter().position(is_it) {
                Some(place) => {
                    let index = self.queue.remove(place).expect("it was found there");
                    self.finish(index, outcome, sinks);
                }
                None if failed => self.failed_controls.push(outcome),
                None => {}
            }
            if failed {
                self.skip_all_on(control, sinks);
            }
        }
        Ok(())
    }

    fn skip_all_on(&mut self, control: Asked, sinks: &mut Sinks<'_, '_>) {
        let plan = self.plan;
        let depends = |index: &usize| plan.asked()[*index].protocol == control.protocol;
        let (skipped, rest): (VecDeque<usize>, VecDeque<usize>) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(depends);
        self.queue = rest;
        for index in skipped {
            let reason = format!("its control failed: {}", control.scenario.id);
            let outcome = Judge::skip(plan.asked()[index], reason);
            self.finish(index, outcome, sinks);
        }
    }

    async fn start_what_may(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<(), HarnessError> {
        let mut place = 0;
        while self.running.len() < self.plan.jobs && place < self.queue.len() {
            let index = self.queue[place];
            let asked = self.plan.asked()[index];
            if !self.may_start(asked) {
                place += 1;
                continue;
            }
            self.queue.remove(place);
            sinks.tell(SuiteEvent::ScenarioStarted {
                id: asked.scenario.id,
                protocol: asked.protocol.name(),
            });
            self.start(index, asked).await?;
        }
        Ok(())
    }

    /// Nothing more goes to a dead candidate, and only so many stages are up at once.
    fn may_start(&self, asked: Asked) -> bool {
        match self.stage_use(asked) {
            StageUse::Shared | StageUse::Control
                if self.staging.candidate.is_alone() && self.own_stages > 0 =>
            {
                false
            }
            StageUse::Shared | StageUse::Control => {
                self.suspects.is_empty() && self.shared.death().is_none()
            }
            StageUse::WithErrors => true,
            StageUse::Own(_) if self.staging.candidate.is_alone() => self.running.is_empty(),
            StageUse::Own(_) => self.own_stages < OWN_STAGES_AT_ONCE,
        }
    }

    /// Where one stage only can be there, what others share has to do.
    fn stage_use(&self, asked: Asked) -> StageUse {
        match asked.scenario.stage {
            StageUse::WithErrors if self.staging.candidate.is_alone() => StageUse::Shared,
            stage => stage,
        }
    }

    async fn start(&mut self, index: usize, asked: Asked) -> Result<(), HarnessError> {
        let patience = self.staging.patience;
        match self.stage_use(asked) {
            StageUse::WithErrors => {
                if self.with_errors.death().is_some() {
                    self.with_errors.stop().await;
                }
                let stage = self.with_errors.get().await?;
                self.running.spawn(async move {
                    (index, on_one_with_errors(&stage, asked, patience).await)
                });
            }
            StageUse::Shared | StageUse::Control => {
                let stage = self.shared.get().await?;
                self.running
                    .spawn(async move { (index, on_a_shared(&stage, asked, patience).await) });
            }
            StageUse::Own(prepare) => {
                self.own_stages += 1;
                if self.staging.candidate.is_alone() {
                    self.shared.stop().await;
                }
                let stage = prepare(self.staging.stage());
                self.running
                    .spawn(async move { (index, on_its_own(stage, asked, patience).await) });
            }
        }
        Ok(())
    }

    fn take(&mut self, joined: Result<(usize, Attempt), JoinError>, sinks: &mut Sinks<'_, '_>) {
        let (index, attempt) =
            joined.expect("an attempt catches panics, and nothing is aborted before the end");
        let asked = self.plan.asked()[index];
        match self.stage_use(asked) {
            StageUse::WithErrors => {}
            StageUse::Own(_) => self.own_stages -= 1,
            StageUse::Shared | StageUse::Control if self.shared.death().is_some() => {
                self.suspects.push((index, attempt));
                return;
            }
            StageUse::Shared | StageUse::Control => self.last_shared = Some(index),
        }
        let outcome = self.judge.judge(asked, attempt);
        self.finish(index, outcome, sinks);
    }

    fn finish(&mut self, index: usize, outcome: Outcome, sinks: &mut Sinks<'_, '_>) {
        sinks.tell(SuiteEvent::ScenarioFinished(&outcome));
        self.outcomes[index] = Some(outcome);
    }

    /// Several scenarios ran when the candidate died: each is asked again, with the stage to itself, to see which it was.
    async fn ask_suspects_alone(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<(), HarnessError> {
        let first_death = self.restart(sinks).await?;
        let suspects = std::mem::take(&mut self.suspects);
        let first = suspects
            .iter()
            .position(|(_, attempt)| !attempt.is_clean())
            .unwrap_or(0);
        let patience = self.staging.patience;
        let mut judged = Vec::new();
        let mut reproduced = false;
        for (index, _) in suspects {
            let asked = self.plan.asked()[index];
            let stage = self.shared.get().await?;
            let mut attempt = on_a_shared(&stage, asked, patience).await;
            drop(stage);
            if self.shared.death().is_some() {
                reproduced = true;
                let death = self.restart(sinks).await?;
                attempt.findings.push(died(death.as_ref(), ""));
            }
            judged.push((index, attempt));
        }
        if !reproduced && let Some((_, attempt)) = judged.get_mut(first) {
            let alone =
                ", among other scenarios; it did not happen again when this one was asked alone";
            attempt.findings.push(died(first_death.as_ref(), alone));
        }
        for (index, attempt) in judged {
            let outcome = self.judge.judge(self.plan.asked()[index], attempt);
            self.finish(index, outcome, sinks);
        }
        Ok(())
    }

    /// Puts a new stage in the place of one whose candidate died.
    async fn restart(&mut self, sinks: &mut Sinks<'_, '_>) -> Result<Option<Death>, HarnessError> {
        let death = self.shared.death();
        self.shared.stop().await;
        let words = death
            .as_ref()
            .map(|death| death.words.join("\n"))
            .unwrap_or_default();
        sinks.tell(SuiteEvent::StageRestarted { log_tail: &words });
        Ok(death)
    }
}

/// Stages of their own take the longest, and only a few are up at once: they begin, and the others fill the gaps. Where
/// one stage only can be there, the shared one comes first.
fn order(plan: &Plan, candidate: &Candidate) -> VecDeque<usize> {
    let is_shared =
        |index: &usize| !matches!(plan.asked()[*index].scenario.stage, StageUse::Own(_));
    let (shared, own): (Vec<usize>, Vec<usize>) = (0..plan.asked().len()).partition(is_shared);
    if candidate.is_alone() {
        return shared.into_iter().chain(own).collect();
    }
    own.into_iter().chain(shared).collect()
}

/// What came of a round.
pub(crate) struct Answers {
    /// In the order of the plan.
    pub(crate) outcomes: Vec<Outcome>,
    /// Of controls that are no part of the plan.
    pub(crate) failed_controls: Vec<Outcome>,
    pub(crate) ended: Ended,
}

/// How a round came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Finished,
    Stopped,
}

/// What fails may have failed because the candidate died: its end is known then before anybody is judged.
async fn on_a_shared(stage: &RunningStage, asked: Asked, patience: Patience) -> Attempt {
    let attempt = Attempt::on(stage, asked, patience).await;
    if !attempt.is_clean() {
        stage.hear_of_a_death(asked.protocol).await;
    }
    attempt
}

/// Who kills the candidate here is found by what the stage says then: few use it.
async fn on_one_with_errors(stage: &RunningStage, asked: Asked, patience: Patience) -> Attempt {
    let mut attempt = on_a_shared(stage, asked, patience).await;
    if let Some(death) = death_of(stage) {
        attempt.findings.push(died(Some(&death), ""));
    }
    attempt
}

async fn on_its_own(stage: Stage, asked: Asked, patience: Patience) -> Attempt {
    let started = Instant::now();
    let stage = match stage.start().await {
        Ok(stage) => stage,
        Err(error) => return Attempt::without_stage(&error, started.elapsed()),
    };
    let mut attempt = Attempt::on(&stage, asked, patience).await;
    let about_its_end = [Feature::Reload, Feature::Drain];
    let about_its_end = about_its_end
        .iter()
        .any(|one| asked.scenario.needs.contains(one));
    if !about_its_end && let Some(death) = death_of(&stage) {
        attempt.findings.push(died(Some(&death), ""));
    }
    // A candidate that is gone by then cannot be stopped, and a finding says so.
    if let Err(error) = stage.stop().await
        && attempt.findings.is_empty()
    {
        attempt.broken.get_or_insert_with(|| error.in_full());
    }
    attempt
}

fn death_of(stage: &RunningStage) -> Option<Death> {
    let ending = stage.ending()?;
    Some(Death {
        ending: ending.to_string(),
        words: stage.log_tail(),
    })
}

fn died(death: Option<&Death>, circumstances: &str) -> Finding {
    let (ending, words) = match death {
        Some(death) => (death.ending.as_str(), death.words.join("\n")),
        None => ("unknown ending", String::new()),
    };
    THE_CANDIDATE_DIED
        .finding()
        .expected("a candidate that goes on serving")
        .observed(format!("its process ended ({ending}){circumstances}\n{words}").trim_end())
}
