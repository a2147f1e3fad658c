//! The stage that most scenarios share, and what becomes of it when the candidate dies.

use std::sync::Arc;

use crate::{
    candidate::{Candidate, Wanted},
    deployment::Deployment,
    error::HarnessError,
    patience::Patience,
    stage::{Guard, Keep, RunningStage, Stage},
};

/// What stages are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staging<'a> {
    pub(crate) candidate: &'a Candidate,
    pub(crate) deployment: &'a Deployment,
    pub(crate) keep: Keep,
    /// One for all stages of a run.
    pub(crate) guard: &'a Guard,
    /// How long one scenario may take.
    pub(crate) patience: Patience,
}

impl Staging<'_> {
    pub(crate) fn stage(&self) -> Stage {
        Stage::of(self.candidate)
            .deployment(self.deployment)
            .keep(self.keep)
            .guard(self.guard)
            // Whether anything passes is the first thing that is asked.
            .wanted(Wanted::Connecting)
    }

    pub(super) fn has_several_servers(&self) -> bool {
        let mut upstreams = self.deployment.upstreams.values();
        upstreams.any(|upstream| upstream.servers.len() > 1)
    }
}

/// A stage that is started when somebody needs it, and again when its candidate died.
#[derive(Debug)]
pub(crate) struct SharedStage<'a> {
    staging: Staging<'a>,
    running: Option<Arc<RunningStage>>,
}

impl<'a> SharedStage<'a> {
    pub(crate) fn new(staging: Staging<'a>) -> Self {
        Self {
            staging,
            running: None,
        }
    }

    /// The stage, started if it is not there.
    pub(crate) async fn get(&mut self) -> Result<Arc<RunningStage>, HarnessError> {
        if let Some(running) = &self.running {
            return Ok(Arc::clone(running));
        }
        let running = Arc::new(self.staging.stage().start().await?);
        self.running = Some(Arc::clone(&running));
        Ok(running)
    }

    /// How the candidate ended and its last words, if it is there no more.
    pub(crate) fn death(&self) -> Option<Death> {
        Death::on(self.running.as_ref()?)
    }

    /// Stops the stage and waits for it, unless a scenario that was aborted still holds it: then its drop stops it.
    pub(crate) async fn stop(&mut self) {
        let alone = self
            .running
            .take()
            .and_then(|running| Arc::try_unwrap(running).ok());
        if let Some(running) = alone {
            // What was found out is not lost for a candidate that has to be killed: how it stops is asked elsewhere.
            let _ = running.stop().await;
        }
    }
}

/// The end of a candidate that nobody asked for.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    pub(crate) ending: String,
    pub(crate) words: Vec<String>,
}

impl Death {
    /// What became of the candidate of this stage, where it is there no more.
    pub(super) fn on(stage: &RunningStage) -> Option<Self> {
        Some(Self {
            ending: stage.ending()?.to_string(),
            words: stage.log_tail(),
        })
    }
}
