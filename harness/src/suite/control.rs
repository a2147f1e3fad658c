//! What has to work for anything else to be believed: asked first, behind whatever fails, and last.

use std::collections::BTreeSet;
use std::time::Instant;

use super::attempt::Attempt;
use super::plan::Asked;
use crate::check::THE_SITE_STOPPED;
use crate::finding::Finding;
use crate::patience::Patience;
use crate::scenario::Reach;
use crate::stage::RunningStage;

/// The control of one protocol, with what relies on it.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) asked: Asked,
    /// What scenarios that are asked rely on; what nobody does is no finding.
    pub(crate) reaches: BTreeSet<Reach>,
}

/// What became of a control.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) asked_at: Instant,
    pub(crate) attempt: Attempt,
}

impl Control {
    /// Asks it once.
    pub(crate) async fn ask(&self, stage: &RunningStage, patience: Patience) -> Verified {
        let asked_at = Instant::now();
        let reaches = Some(&self.reaches);
        Verified {
            asked_at,
            attempt: Attempt::of_control(stage, self.asked, reaches, patience).await,
        }
    }

    /// Asks it once more where it fails: a proxy that is busy for a moment has not stopped answering.
    pub(crate) async fn ask_again(&self, stage: &RunningStage, patience: Patience) -> Verified {
        let first = self.ask(stage, patience).await;
        if first.attempt.is_clean() {
            return first;
        }
        Patience::QUIET.pass().await;
        self.ask(stage, patience).await
    }

    /// Why what relies on it is not believed where it failed.
    pub(crate) fn reason_to_skip(&self) -> String {
        format!("its control failed: {}", self.asked.scenario.id)
    }
}

impl Verified {
    /// What is not reached: everything that it asks for, where it does not say.
    pub(crate) fn unreached(&self, control: &Control) -> BTreeSet<Reach> {
        let findings = self.attempt.findings.iter();
        let told: Option<BTreeSet<Reach>> = findings.map(|finding| finding.unreached).collect();
        told.unwrap_or_else(|| control.reaches.clone())
    }

    /// It was answered before.
    pub(crate) fn into_stopped(mut self) -> Attempt {
        for finding in &mut self.attempt.findings {
            *finding = Finding {
                code: THE_SITE_STOPPED.name.to_owned(),
                message: THE_SITE_STOPPED.message.to_owned(),
                why: THE_SITE_STOPPED.why.to_owned(),
                ..std::mem::take(finding)
            };
        }
        self.attempt
    }
}
