//! The running handle of a stage.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use proxyproof_mocks::certificate::Authority;
use proxyproof_mocks::front::RunningFront;
use proxyproof_mocks::site::RunningSite;
use proxyproof_mocks::{Ledger, RunningUpstream, dial};

use super::directory::PrivateDirectory;
use super::launching::{Launched, Launching};
use super::server_relays::ServerRelays;
use super::surroundings::Surroundings;
use super::{Doors, Guard};
use crate::candidate::{Candidate, Configuration, Door, Ending, Instance, Program, Words};
use crate::deployment::{Deployment, ProxyProtocol};
use crate::error::HarnessError;
use crate::hint;
use crate::kind::StandIn;
use crate::patience::Patience;
use crate::probe::Trust;
use crate::protocol::Protocol;

/// A stage that runs; dropping it stops everything.
#[derive(Debug)]
pub struct RunningStage {
    // Dropped in this order: who speaks first goes first.
    front: Option<RunningFront>,
    instance: Instance,
    surroundings: Surroundings,
    directory: PrivateDirectory,
    candidate: Candidate,
    deployment: Deployment,
    configuration: Configuration,
    doors: Doors,
    binary: PathBuf,
    guard: Guard,
    /// Whether the candidate was told to end.
    dismissed: AtomicBool,
}

impl RunningStage {
    pub(super) fn new(
        launching: Launching,
        launched: Launched,
        front: Option<RunningFront>,
    ) -> Self {
        Self {
            front,
            instance: launched.instance,
            surroundings: launching.surroundings,
            directory: launching.directory,
            candidate: launching.candidate,
            deployment: launching.deployment,
            configuration: launched.configuration,
            doors: launched.doors,
            binary: launching.binary,
            guard: launching.guard,
            dismissed: AtomicBool::new(false),
        }
    }

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

    /// The user's files, for pointing into them, and their private copies.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What to change in the user's file for a finding of this code, if the candidate's manifest says.
    #[must_use]
    pub fn hint(&self, finding: &str) -> Option<hint::Hint> {
        self.candidate.hint_for(finding, None, &self.deployment)
    }

    /// The candidate's processes, as they are now.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.instance.processes()
    }

    /// All arrivals at all upstreams.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.surroundings.ledger
    }

    /// CPA's mock: the upstream of that kind, or the one that the usage service talks to past the candidate.
    ///
    /// # Panics
    /// When the deployment has an upstream of neither kind.
    #[must_use]
    pub fn cpa(&self) -> &RunningUpstream {
        let name = self.deployment.upstream_of(StandIn::Cpa);
        self.upstream(name.map_or("cpa", String::as_str))
            .expect("the deployment has an upstream of kind `cpa`")
    }

    /// The usage service's mock.
    ///
    /// # Panics
    /// When the deployment has no upstream of that kind.
    #[must_use]
    pub fn usage(&self) -> &RunningUpstream {
        let name = self.deployment.upstream_of(StandIn::Usage);
        name.and_then(|name| self.upstream(name))
            .expect("the deployment has an upstream of kind `usage`")
    }

    /// The mock of an upstream by the deployment's name.
    #[must_use]
    pub fn upstream(&self, name: &str) -> Option<&RunningUpstream> {
        self.surroundings.upstreams.get(name)
    }

    /// Every upstream's mock, by name.
    #[must_use]
    pub fn upstreams(&self) -> &BTreeMap<String, RunningUpstream> {
        &self.surroundings.upstreams
    }

    /// The relays before an upstream; none unless the stage was started with relays.
    #[must_use]
    pub fn relays(&self, upstream: &str) -> Option<&ServerRelays> {
        self.surroundings.relays.get(upstream)
    }

    /// The site behind a destination of the front's table that is not the candidate's, as published: `127.0.0.1:8001`.
    #[must_use]
    pub fn site(&self, destination: &str) -> Option<&RunningSite> {
        self.surroundings.sites.get(destination)
    }

    /// What stands in front of the candidate, where something does.
    #[must_use]
    pub fn front(&self) -> Option<&RunningFront> {
        self.front.as_ref()
    }

    /// The authority that the front's certificate comes from.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.surroundings.authority
    }

    /// Writes the authority's certificate into the private directory, for clients that read a file.
    ///
    /// # Errors
    /// [`HarnessError::System`] when it cannot be written.
    pub fn write_authority(&self) -> Result<PathBuf, HarnessError> {
        let path = self.directory.path().join("ca.pem");
        let written = std::fs::write(&path, self.authority().certificate_pem());
        written.map_err(|cause| HarnessError::System {
            action: "write the authority's certificate".to_owned(),
            cause,
        })?;
        Ok(path)
    }

    /// Whether a protocol can be asked here.
    #[must_use]
    pub fn offers(&self, protocol: Protocol) -> bool {
        let direct = self
            .doors
            .iter()
            .any(|door| door.protocol == protocol.listener());
        direct && (!protocol.is_chain() || self.deployment.has_a_way_through_the_front())
    }

    /// Where probes connect for a protocol: the candidate's own listener, or the front for a chain.
    ///
    /// # Panics
    /// When the deployment has no such listener; [`RunningStage::offers`] tells.
    #[must_use]
    pub fn listener(&self, protocol: Protocol) -> SocketAddr {
        if let (Some(front), true) = (&self.front, protocol.is_chain()) {
            return front.address();
        }
        let door = self.doors.iter().find(|door| door.protocol == protocol);
        door.expect("the caller asked `offers` first").address
    }

    /// Whom clients of [`RunningStage::listener`] trust, where they speak TLS.
    ///
    /// # Panics
    /// When the run's own authority is no authority.
    #[must_use]
    pub fn trust(&self, protocol: Protocol) -> Option<Trust> {
        let ends_tls = |door: &Door| door.protocol == protocol && door.trust.is_some();
        (protocol.is_chain() || self.doors.iter().any(ends_tls)).then(|| self.surroundings.trust())
    }

    /// The header that connections to [`RunningStage::listener`] begin with; the front wants one from every probe.
    #[must_use]
    pub fn proxy_protocol(&self, protocol: Protocol) -> ProxyProtocol {
        if protocol.is_chain() {
            return ProxyProtocol::V1;
        }
        let door = self.doors.iter().find(|door| door.protocol == protocol);
        door.map_or(ProxyProtocol::None, |door| door.proxy_protocol)
    }

    /// How the candidate ended, if it has.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.instance.ending()
    }

    /// Waits until the candidate is gone.
    pub async fn ended(&self) -> Ending {
        self.instance.ended().await
    }

    /// Returns when a candidate is known to be gone that has begun to go: the system closes the sockets of a dying process
    /// before anybody hears of its end, and one that ends in order closes them before it does.
    pub(crate) async fn hear_of_a_death(&self, protocol: Protocol) {
        let listener = protocol.listener();
        let door = self.doors.iter().find(|door| door.protocol == listener);
        if let (Some(door), false) = (door, matches!(self.instance, Instance::Attached)) {
            let connecting = Patience::CONNECT.within("a connection", dial(door.address, None));
            let refused = |cause: std::io::Error| cause.kind() == ErrorKind::ConnectionRefused;
            let refuses = connecting.await.is_ok_and(|made| made.is_err_and(refused));
            let patience = if refuses {
                Patience::SETTLE
            } else {
                Patience::QUIET
            };
            // One that lives on is judged as it is.
            let _ = patience.within("its end", self.ended()).await;
        }
    }

    /// Whether the candidate still runs, unless it was told to end.
    ///
    /// # Errors
    /// [`HarnessError::Died`] with its last words.
    pub fn check_alive(&self) -> Result<(), HarnessError> {
        match self.ending() {
            Some(ending) if !self.dismissed.load(Ordering::Relaxed) => Err(self.died(ending)),
            _ => Ok(()),
        }
    }

    /// The last lines of the candidate's output and log, with the user's names of files.
    #[must_use]
    pub fn log_tail(&self) -> Vec<String> {
        let log = self.candidate.launch.log.as_deref();
        self.in_users_terms(&Words::new(self.directory.path(), log))
    }

    fn in_users_terms(&self, words: &Words) -> Vec<String> {
        let words = words.last().into_iter();
        words
            .map(|line| self.configuration.in_users_terms(&line))
            .collect()
    }

    /// Lets the candidate's program check the configuration as it is now; nothing happens where it has no such command.
    ///
    /// # Errors
    /// [`HarnessError::Invalid`] with its words, [`HarnessError::RanOut`] when the check does not end.
    pub async fn validate(&self) -> Result<(), HarnessError> {
        let Some(arguments) = &self.candidate.launch.validate else {
            return Ok(());
        };
        let directory = self.directory.path();
        let program = Program {
            binary: &self.binary,
            directory,
            guard: &self.guard,
        };
        let arguments = self.configuration.arguments(arguments)?;
        let awaited = "the check of the configuration";
        let ending = match &self.instance {
            #[cfg(feature = "containers")]
            Instance::Container(container) => {
                let output = directory.join(Words::VALIDATION);
                let checking = container.check(&self.binary, &arguments, &output);
                Patience::COMMAND.within(awaited, checking).await??
            }
            Instance::Task(_) | Instance::Attached => return Ok(()),
            Instance::Process(_) => {
                let check = program.start(&arguments, Words::VALIDATION)?;
                Patience::COMMAND.within(awaited, check.ended()).await?
            }
        };
        if ending.is_success() {
            return Ok(());
        }
        Err(HarnessError::Invalid {
            candidate: self.candidate.name.clone(),
            ending: ending.to_string(),
            words: self.in_users_terms(&Words::of_validation(directory)),
        })
    }

    /// Tells the candidate to read its configuration again; does not wait for it.
    ///
    /// # Errors
    /// [`HarnessError::Died`] when it is gone.
    pub fn reload(&self) -> Result<(), HarnessError> {
        self.check_alive()?;
        self.instance.signal(self.candidate.launch.signals.reload);
        Ok(())
    }

    /// Tells the candidate to read its configuration again, and waits until a process of it is there that was not: who
    /// serves the new configuration in one of its own. One that changes within its process gives no such sign, and gets
    /// the time of a step.
    ///
    /// # Errors
    /// [`HarnessError::Died`] when it is gone.
    pub async fn reload_and_wait(&self) -> Result<(), HarnessError> {
        let before = self.processes();
        self.reload()?;
        let new = || {
            let processes = self.processes().into_iter();
            let new = processes
                .filter(|process| !before.contains(process))
                .count();
            std::future::ready((new > 0).then_some(()).ok_or_else(String::new))
        };
        let _ = Patience::LOCK_STEP
            .eventually("a process with the new configuration", new)
            .await;
        Ok(())
    }

    /// Tells the candidate to finish what is under way and end; does not wait for it.
    pub fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Relaxed);
        self.instance.signal(self.candidate.launch.signals.drain);
    }

    /// Tells the candidate to finish what is under way and end, and waits until it is gone.
    ///
    /// # Errors
    /// [`HarnessError::RanOut`] when it stays; it is killed then.
    pub async fn terminate(&self) -> Result<Ending, HarnessError> {
        self.dismissed.store(true, Ordering::Relaxed);
        let drain = self.candidate.launch.signals.drain;
        Ok(self.instance.end(drain, Patience::DRAIN).await?)
    }

    /// Stops everything and waits until it is gone.
    ///
    /// # Errors
    /// [`HarnessError::Died`] when the candidate was gone before, [`HarnessError::RanOut`] when it had to be killed.
    ///
    /// # Panics
    /// With the panic of a mock's task that panicked.
    pub async fn stop(self) -> Result<(), HarnessError> {
        let alive = self.check_alive();
        let stop = self.candidate.launch.signals.stop;
        let stopped = self.instance.end(stop, Patience::SHUTDOWN).await;
        if let Some(front) = self.front {
            front.stop().await;
        }
        self.surroundings.stop().await;
        alive?;
        stopped?;
        Ok(())
    }

    fn died(&self, ending: Ending) -> HarnessError {
        HarnessError::Died {
            candidate: self.candidate.name.clone(),
            ending: ending.to_string(),
            words: self.log_tail(),
        }
    }
}
