//! Asks everything once: most of it at the same time, on one stage.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    pin::Pin,
    time::Instant,
};

use tokio::task::{JoinError, JoinSet};

use super::{
    Outcome, SuiteEvent,
    attempt::Attempt,
    control::{Control, Verified},
    event::Sinks,
    judge::Judge,
    on_stage::{died, on_a_shared, on_its_own, on_one_with_errors},
    plan::{Asked, Plan},
    shared::{Death, SharedStage, Staging},
};
use crate::{
    candidate::Candidate,
    error::HarnessError,
    protocol::Protocol,
    scenario::{Reach, StageUse},
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
    running: JoinSet<Done>,
    own_stages: usize,
    /// What ended on a shared stage whose candidate was dead then.
    suspects: Vec<(usize, Attempt)>,
    /// The last one that ended on a shared stage whose candidate was alive then.
    last_shared: Option<usize>,
    /// Controls that failed without being selected.
    failed_controls: Vec<Outcome>,
    controls: BTreeMap<Protocol, Control>,
    /// What ended on the shared stage since its protocol's control was answered, and when.
    unconfirmed: Vec<(usize, Instant)>,
    /// What was reached at first and is no more.
    stopped: BTreeMap<Protocol, BTreeSet<Reach>>,
}

/// What came of one place in the plan.
struct Done {
    index: usize,
    attempt: Attempt,
    /// What became of a control that was asked with it.
    control: Option<Verified>,
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
            controls: BTreeMap::new(),
            unconfirmed: Vec::new(),
            stopped: BTreeMap::new(),
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
                None if self.suspects.is_empty() && !self.died_late() => {
                    return self.ask_controls_again().await;
                }
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
        for asked in plan.controls().iter().copied() {
            let reaches = self.relied_on(asked.protocol);
            if !reaches.is_empty() && self.judge.reason_to_skip(asked).is_none() {
                let control = Control { asked, reaches };
                self.controls.insert(asked.protocol, control.clone());
                let (stage, patience) = (self.shared.get().await?, self.staging.patience);
                attempts.spawn(async move {
                    let verified = control.ask(&stage, patience).await;
                    (control, verified)
                });
            }
        }
        while let Some(joined) = attempts.join_next().await {
            let (control, verified) = joined.expect("an attempt catches panics");
            let unreached = verified.unreached(&control);
            let outcome = self.judge.judge(control.asked, verified.attempt);
            let failed = outcome.verdict == Verdict::Fail;
            let name = (control.asked.scenario.id, control.asked.protocol);
            let is_it = |index: &usize| {
                let asked = plan.asked()[*index];
                (asked.scenario.id, asked.protocol) == name
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
                self.skip_what_relies_on(&control, &unreached, sinks);
            }
        }
        Ok(())
    }

    /// What scenarios that wait for their turn on a protocol rely on.
    fn relied_on(&self, protocol: Protocol) -> BTreeSet<Reach> {
        let waiting = self.queue.iter().map(|index| self.plan.asked()[*index]);
        let waiting = waiting.filter(|asked| asked.protocol == protocol);
        waiting.flat_map(|asked| asked.scenario.reaches()).collect()
    }

    fn skip_what_relies_on(
        &mut self,
        control: &Control,
        unreached: &BTreeSet<Reach>,
        sinks: &mut Sinks<'_, '_>,
    ) {
        let plan = self.plan;
        let relies = |index: &usize| relies_on(plan.asked()[*index], control, unreached);
        let (skipped, rest): (VecDeque<usize>, VecDeque<usize>) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(relies);
        self.queue = rest;
        for index in skipped {
            let outcome = Judge::skip(plan.asked()[index], control.reason_to_skip());
            self.finish(index, outcome, sinks);
        }
    }

    /// Asks once more on the shared stage: what stopped answering may have let anything pass.
    async fn ask_controls_again(&mut self) -> Result<(), HarnessError> {
        if self.unconfirmed.is_empty() {
            return Ok(());
        }
        for control in self.controls.clone().into_values() {
            let protocol = control.asked.protocol;
            let unconfirmed = self.unconfirmed.iter();
            let mut protocols = unconfirmed.map(|(index, _)| self.plan.asked()[*index].protocol);
            if protocols.any(|asked| asked == protocol) {
                let stage = self.shared.get().await?;
                let verified = control.ask_again(&stage, self.staging.patience).await;
                self.take_control(&control, verified);
            }
        }
        Ok(())
    }

    /// Believes what ended before a control that was answered; where it was not, skips what ended since the last that was.
    fn take_control(&mut self, control: &Control, verified: Verified) {
        let protocol = control.asked.protocol;
        if verified.attempt.is_clean() {
            let plan = self.plan;
            let asked_at = verified.asked_at;
            self.unconfirmed.retain(|(index, ended)| {
                plan.asked()[*index].protocol != protocol || *ended > asked_at
            });
            return;
        }
        let unreached = verified.unreached(control);
        self.disbelieve(control, &unreached);
        let known = self.stopped.entry(protocol).or_default();
        let is_news = !unreached.is_subset(known);
        known.extend(unreached);
        if is_news {
            self.tell_of_a_control(control, verified.into_stopped());
        }
    }

    /// Skips after all what ended since the control was last answered, and relies on what it no longer reaches.
    fn disbelieve(&mut self, control: &Control, unreached: &BTreeSet<Reach>) {
        let plan = self.plan;
        let relies =
            |(index, _): &mut (usize, Instant)| relies_on(plan.asked()[*index], control, unreached);
        for (index, _) in self.unconfirmed.extract_if(.., relies) {
            let outcome = Judge::skip(plan.asked()[index], control.reason_to_skip());
            self.outcomes[index] = Some(outcome);
        }
    }

    /// The outcome of a control that failed behind the first: in its place, or beside the plan.
    fn tell_of_a_control(&mut self, control: &Control, attempt: Attempt) {
        let outcome = self.judge.judge(control.asked, attempt);
        let asked = self.plan.asked().iter();
        let mut names = asked.map(|asked| (asked.scenario.id, asked.protocol));
        let name = (control.asked.scenario.id, control.asked.protocol);
        match names.position(|one| one == name) {
            Some(place) => self.outcomes[place] = Some(outcome),
            None => self.failed_controls.push(outcome),
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
            // A proxy with several servers may do without each of them for a while after one connection that broke off.
            StageUse::WithErrors if self.staging.has_several_servers() => {
                StageUse::Own(|stage| stage)
            }
            stage => stage,
        }
    }

    async fn start(&mut self, index: usize, asked: Asked) -> Result<(), HarnessError> {
        let patience = self.staging.patience;
        let control = self.control_of(asked);
        match self.stage_use(asked) {
            StageUse::WithErrors => {
                if self.with_errors.death().is_some() {
                    self.with_errors.stop().await;
                }
                let stage = self.with_errors.get().await?;
                let own = self.staging.stage();
                self.running.spawn(async move {
                    let attempt = on_one_with_errors(&stage, own, asked, patience, control).await;
                    Done {
                        index,
                        attempt,
                        control: None,
                    }
                });
            }
            StageUse::Shared | StageUse::Control => {
                let stage = self.shared.get().await?;
                self.running.spawn(async move {
                    let attempt = on_a_shared(&stage, asked, patience).await;
                    let control = match control {
                        Some(control) if !attempt.is_clean() && stage.ending().is_none() => {
                            Some(control.ask_again(&stage, patience).await)
                        }
                        _ => None,
                    };
                    Done {
                        index,
                        attempt,
                        control,
                    }
                });
            }
            StageUse::Own(prepare) => {
                self.own_stages += 1;
                if self.staging.candidate.is_alone() {
                    self.shared.stop().await;
                }
                let stage = prepare(self.staging.stage());
                self.running.spawn(async move {
                    let (attempt, control) = on_its_own(stage, asked, patience, control).await;
                    Done {
                        index,
                        attempt,
                        control,
                    }
                });
            }
        }
        Ok(())
    }

    /// The control of its protocol, for what it relies on.
    fn control_of(&self, asked: Asked) -> Option<Control> {
        let control = self.controls.get(&asked.protocol)?;
        Some(Control {
            asked: control.asked,
            reaches: asked.scenario.reaches(),
        })
    }

    fn take(&mut self, joined: Result<Done, JoinError>, sinks: &mut Sinks<'_, '_>) {
        let Done {
            index,
            attempt,
            control,
        } = joined.expect("an attempt catches panics, and nothing is aborted before the end");
        let asked = self.plan.asked()[index];
        let verified = self.control_of(asked).zip(control);
        match self.stage_use(asked) {
            StageUse::WithErrors => {}
            StageUse::Own(_) => {
                self.own_stages -= 1;
                if let Some((control, verified)) = verified {
                    self.tell_of_a_control(&control, verified.attempt);
                }
            }
            StageUse::Shared | StageUse::Control if self.shared.death().is_some() => {
                self.suspects.push((index, attempt));
                return;
            }
            StageUse::Shared | StageUse::Control => {
                self.last_shared = Some(index);
                self.unconfirmed.push((index, Instant::now()));
                let outcome = self.judge.judge(asked, attempt);
                self.finish(index, outcome, sinks);
                self.confirm(asked, verified, sinks);
                return;
            }
        }
        let outcome = self.judge.judge(asked, attempt);
        self.finish(index, outcome, sinks);
    }

    /// Takes what the control said behind something that failed, or what is known of it already.
    fn confirm(
        &mut self,
        asked: Asked,
        verified: Option<(Control, Verified)>,
        sinks: &mut Sinks<'_, '_>,
    ) {
        if let Some((control, verified)) = verified {
            self.take_control(&control, verified);
        }
        let stopped = self.stopped.get(&asked.protocol).cloned();
        if let (Some(stopped), Some(control)) = (stopped, self.control_of(asked)) {
            self.disbelieve(&control, &stopped);
            self.skip_what_relies_on(&control, &stopped, sinks);
        }
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

fn relies_on(asked: Asked, control: &Control, unreached: &BTreeSet<Reach>) -> bool {
    let here = asked.protocol == control.asked.protocol;
    here && asked.scenario.id != control.asked.scenario.id
        && !asked.scenario.reaches().is_disjoint(unreached)
}
