//! One running front, candidate and upstreams, wired together: [`Stage`] and [`RunningStage`].

mod clients;
mod directory;
mod front;
pub mod guard;
mod launching;
mod namespace;
mod port;
mod running;
mod server_relays;
mod surroundings;
mod values;

pub use self::clients::Clients;
pub use self::guard::Guard;
pub use self::namespace::loopback_alone;
pub use self::running::RunningStage;
pub use self::server_relays::ServerRelays;
pub use self::surroundings::MANAGEMENT_KEY;

use std::collections::BTreeMap;

use self::directory::PrivateDirectory;
use self::launching::Launching;
use self::surroundings::{Surroundings, starting};
use crate::candidate::{Candidate, Door, LaunchKind, Wanted};
use crate::deployment::Deployment;
use crate::error::HarnessError;
use crate::patience::Patience;

/// What is to be staged.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct Stage {
    candidate: Candidate,
    deployment: Option<Deployment>,
    relays: Relays,
    clients: Option<Clients>,
    keep: Keep,
    guard: Option<Guard>,
    patience: Option<Patience>,
    connections: Option<usize>,
    wanted: Wanted,
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
            clients: None,
            keep: Keep::default(),
            guard: None,
            patience: None,
            connections: None,
            wanted: Wanted::default(),
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

    /// Serves real clients. Probes through the front have no place here: it reads no PROXY header.
    pub fn clients(mut self, clients: Clients) -> Self {
        self.clients = Some(clients);
        self
    }

    /// What becomes of the private directory.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Shares a guard: a run with many stages needs one only.
    pub fn guard(mut self, guard: &Guard) -> Self {
        self.guard = Some(guard.clone());
        self
    }

    /// How long the candidate may take to serve, in place of the manifest's or the usual time.
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = Some(patience);
        self
    }

    /// What it takes to be ready; a request that has arrived unless said otherwise.
    pub fn wanted(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    /// How many clients at once the candidate has to have room for, where that is more than its files say: `connections` of
    /// templates, and `worker_connections`, which counts upstreams' too, of the gallery's NGINX configurations.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Starts everything and waits until a request through every listener has arrived.
    ///
    /// # Errors
    /// [`HarnessError::Refused`], [`HarnessError::NotReady`] and what the system refuses; nothing is left behind.
    pub async fn start(self) -> Result<RunningStage, HarnessError> {
        let mut deployment = self.deployment.unwrap_or_else(Deployment::cpa_two_hosts);
        self.candidate.serves(&deployment)?;
        let binary = self.candidate.binary()?;
        let domain = self
            .clients
            .as_ref()
            .and_then(|clients| clients.domain.as_deref());
        let published_host = domain.and_then(|domain| deployment.rename_api(domain));
        let guard = match self.guard {
            Some(guard) => guard,
            None => Guard::start().map_err(starting("the guard"))?,
        };
        let directory =
            PrivateDirectory::create(self.keep, &guard).map_err(starting("a private directory"))?;
        let patience = self.patience.unwrap_or_else(|| {
            let usual = match self.candidate.launch.kind {
                LaunchKind::Attached(_) => Patience::ATTACHED,
                _ => Patience::STARTUP,
            };
            let within = self.candidate.launch.readiness.within;
            within.map_or(usual, |limit| Patience::new("startup", limit))
        });
        let expected = match &self.candidate.launch.kind {
            LaunchKind::Attached(attachment) => attachment.mocks.clone(),
            _ => BTreeMap::new(),
        };
        let launch = Launching {
            surroundings: Surroundings::start(
                &deployment,
                self.relays,
                self.clients.as_ref(),
                &expected,
            )
            .await?,
            clients: self.clients,
            connections: self.connections,
            wanted: self.wanted,
            published_host,
            candidate: self.candidate,
            deployment,
            binary,
            directory,
            guard,
            patience,
        };
        launch.start().await
    }
}

/// The candidate's listeners.
type Doors = Vec<Door>;
