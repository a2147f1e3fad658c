//! One running front, candidate and upstreams, wired together: [`Stage`] and [`RunningStage`].

mod guard;
mod port;

use std::net::SocketAddr;

use crate::candidate::{Candidate, Configuration};
use crate::deployment::Deployment;
use crate::error::HarnessError;
use crate::protocol::Protocol;

pub use self::guard::Guard;

/// What is to be staged.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct Stage {
    candidate: Candidate,
    deployment: Option<Deployment>,
    relays: Relays,
    keep: Keep,
}

/// Whether faults can be put between candidate and upstreams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relays {
    /// The candidate connects to the mocks themselves.
    #[default]
    None,
    /// A relay stands before every upstream.
    Between,
}

/// What becomes of the private directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Removed when the stage is gone.
    #[default]
    Nothing,
    /// Kept, for somebody who wants to look.
    Directory,
}

impl Stage {
    /// A stage around a candidate, with the deployment of the published configuration.
    pub fn of(candidate: &Candidate) -> Self {
        Self {
            candidate: candidate.clone(),
            deployment: None,
            relays: Relays::default(),
            keep: Keep::default(),
        }
    }

    /// What the site wants.
    pub fn deployment(mut self, deployment: &Deployment) -> Self {
        self.deployment = Some(deployment.clone());
        self
    }

    /// Whether faults can be put between candidate and upstreams.
    pub fn relays(mut self, relays: Relays) -> Self {
        self.relays = relays;
        self
    }

    /// What becomes of the private directory.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Starts everything and waits until a request through every listener has arrived.
    ///
    /// # Errors
    /// [`HarnessError::Refused`], [`HarnessError::NotReady`] and what the system refuses; nothing is left behind.
    #[expect(clippy::unused_async, reason = "the mocks are about to land")]
    pub async fn start(self) -> Result<RunningStage, HarnessError> {
        Err(HarnessError::NotInstalled {
            candidate: self.candidate.name,
            binary: "everything".to_owned(),
        })
    }
}

/// A stage that runs; dropping it stops everything.
#[derive(Debug)]
pub struct RunningStage {
    candidate: Candidate,
    deployment: Deployment,
    configuration: Configuration,
    listeners: std::collections::BTreeMap<Protocol, SocketAddr>,
}

impl RunningStage {
    /// The candidate.
    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// What the site wants.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The user's files, for pointing into them.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Where probes connect for a protocol: the candidate's own listener, or the front for a chain.
    ///
    /// # Panics
    /// When the deployment has no such listener; [`RunningStage::offers`] tells.
    #[must_use]
    pub fn listener(&self, protocol: Protocol) -> SocketAddr {
        *self
            .listeners
            .get(&protocol)
            .expect("the caller asked `offers` first")
    }

    /// Whether a protocol can be asked here.
    #[must_use]
    pub fn offers(&self, protocol: Protocol) -> bool {
        self.listeners.contains_key(&protocol)
    }

    /// How the candidate ended, if it has: `exit code 1`, `signal 9`.
    #[must_use]
    pub fn ending(&self) -> Option<String> {
        None
    }

    /// The last lines of the candidate's output and log.
    #[must_use]
    pub fn log_tail(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tells the candidate to read its configuration again.
    ///
    /// # Errors
    /// [`HarnessError::Died`] when it is gone.
    #[expect(clippy::unused_async, reason = "the process is about to land")]
    pub async fn reload(&self) -> Result<(), HarnessError> {
        Ok(())
    }

    /// Sends the drain signal and waits until the candidate is gone.
    ///
    /// # Errors
    /// [`HarnessError::RanOut`] when it stays.
    #[expect(clippy::unused_async, reason = "the process is about to land")]
    pub async fn terminate(&self) -> Result<(), HarnessError> {
        Ok(())
    }

    /// Stops everything and waits until it is gone.
    ///
    /// # Errors
    /// What could not be stopped.
    #[expect(clippy::unused_async, reason = "the process is about to land")]
    pub async fn stop(self) -> Result<(), HarnessError> {
        Ok(())
    }
}
