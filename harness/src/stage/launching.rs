//! The way from a specification to a running stage.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use futures_util::future::try_join_all;
use tokio::net::TcpListener;

use super::directory::PrivateDirectory;
use super::port::Ports;
use super::running::RunningStage;
use super::surroundings::{Surroundings, starting};
use super::{Clients, Doors, Guard, front, values};
#[cfg(feature = "containers")]
use crate::candidate::Container;
use crate::candidate::{
    CERTIFICATE, Candidate, Configuration, Door, Feature, Instance, LaunchKind, Listeners, Program,
    Stages, Upstreams, Wanted, Words, write_private,
};
use crate::deployment::{Deployment, ProxyProtocol};
use crate::error::HarnessError;
use crate::patience::Patience;
use crate::protocol::Protocol;

/// A stage whose surroundings run and whose candidate does not yet.
pub(super) struct Launching {
    pub(super) candidate: Candidate,
    pub(super) deployment: Deployment,
    pub(super) binary: PathBuf,
    pub(super) surroundings: Surroundings,
    pub(super) clients: Option<Clients>,
    /// How many connections at once there has to be room for.
    pub(super) connections: Option<usize>,
    pub(super) wanted: Wanted,
    /// The API host as the candidate's own files name it, where clients ask for another.
    pub(super) published_host: Option<String>,
    pub(super) directory: PrivateDirectory,
    pub(super) guard: Guard,
    pub(super) patience: Patience,
}

/// A candidate that has become ready.
pub(super) struct Launched {
    pub(super) instance: Instance,
    pub(super) configuration: Configuration,
    pub(super) doors: Doors,
}

impl Launching {
    pub(super) async fn start(self) -> Result<RunningStage, HarnessError> {
        let mut ports = Ports::new();
        let mut attempt = 1;
        let launched = loop {
            match self.launch(&mut ports).await {
                Err(error) if attempt < ATTEMPTS && is_about_a_taken_address(&error) => {
                    attempt += 1
                }
                launched => break launched?,
            }
        };
        let front = front::start(&self, &launched.doors).await?;
        Ok(RunningStage::new(self, launched, front))
    }

    async fn launch(&self, ports: &mut Ports) -> Result<Launched, HarnessError> {
        let doors = self.doors(ports).map_err(|cause| HarnessError::System {
            action: "find free ports".to_owned(),
            cause,
        })?;
        let configuration = self.configuration(&doors)?;
        configuration.write()?;
        self.certify()?;
        let instance = self.spawn(&configuration, &doors).await?;
        let ready = try_join_all(
            doors
                .iter()
                .map(|door| door.opened(&self.surroundings.ledger, self.patience)),
        );
        tokio::select! {
            biased;
            ended = instance.ended() => Err(HarnessError::Refused {
                candidate: self.candidate.name.clone(),
                ending: ended.to_string(),
                remedy: self.remedy(&configuration).or_else(|| {
                    let help = "a program that goes into the background is not waited for: have it stay in the foreground";
                    ended.is_success().then(|| help.to_owned())
                }),
                words: self.words(&configuration),
            }),
            ready = ready => match ready {
                Ok(_) => Ok(Launched { instance, configuration, doors }),
                Err(ran_out) => Err(HarnessError::NotReady {
                    candidate: self.candidate.name.clone(),
                    ran_out: Box::new(ran_out),
                    words: self.words(&configuration),
                }),
            },
        }
    }

    fn doors(&self, ports: &mut Ports) -> io::Result<Doors> {
        let attached = match &self.candidate.launch.kind {
            LaunchKind::Attached(attachment) => Some(&attachment.listeners),
            _ => None,
        };
        let offered = |protocol: &Protocol| {
            self.candidate.features.contains(&protocol.spoken())
                && attached.is_none_or(|listeners| listeners.contains_key(protocol))
        };
        let listeners = self.deployment.listeners.keys();
        // One published address may serve both protocols, as behind TLS, where ALPN tells them apart.
        let mut chosen: BTreeMap<&str, u16> = BTreeMap::new();
        let mut port = |protocol: Protocol| {
            let published = &*self.deployment.listeners[&protocol].address;
            match chosen.get(published) {
                Some(port) => Ok(*port),
                None => {
                    let port = ports.choose()?;
                    chosen.insert(published, port);
                    Ok::<u16, io::Error>(port)
                }
            }
        };
        let mut door = |protocol: &Protocol| {
            let address = match attached {
                Some(listeners) => listeners[protocol],
                None => (Ipv4Addr::LOCALHOST, port(*protocol)?).into(),
            };
            let trust = self.deployment.listeners[protocol].tls;
            Ok(Door {
                protocol: *protocol,
                address,
                trust: trust.then(|| self.surroundings.trust()),
                proxy_protocol: self.proxy_protocol(*protocol),
                host: self.deployment.hosts.api.clone(),
                target: self.candidate.readiness_target(&self.deployment),
                wanted: self.wanted,
            })
        };
        listeners
            .filter(|protocol| offered(protocol))
            .map(&mut door)
            .collect()
    }

    /// What the deployment wants, or the nearest that the candidate can read.
    fn proxy_protocol(&self, protocol: Protocol) -> ProxyProtocol {
        let reads = |feature| self.candidate.features.contains(&feature);
        let wanted = self.deployment.listeners[&protocol].proxy_protocol;
        match wanted {
            ProxyProtocol::V1 if reads(Feature::ProxyProtocolV1) => ProxyProtocol::V1,
            ProxyProtocol::V2 if reads(Feature::ProxyProtocolV2) => ProxyProtocol::V2,
            ProxyProtocol::None => ProxyProtocol::None,
            _ if reads(Feature::ProxyProtocolV1) => ProxyProtocol::V1,
            _ if reads(Feature::ProxyProtocolV2) => ProxyProtocol::V2,
            _ => ProxyProtocol::None,
        }
    }

    fn configuration(&self, doors: &Doors) -> Result<Configuration, HarnessError> {
        let work = self.directory.path();
        Ok(Configuration::new(
            work.to_owned(),
            self.candidate.launch.files.clone(),
            values::replacements(self, doors),
            values::values(work, self, doors),
        )
        .on(match self.clients {
            Some(_) => Stages::Clients,
            None => Stages::All,
        })
        .hiding(&self.candidate.secrets))
    }

    /// What the candidate ends TLS with, where it can: the certificate and its key in one file. A user's file may end TLS
    /// at listeners that nobody asks.
    fn certify(&self) -> Result<(), HarnessError> {
        let ends_tls = self.candidate.features.contains(&Feature::Tls);
        let files = &self.candidate.launch.files;
        if !ends_tls && files.iter().all(|file| file.private_copy.is_none()) {
            return Ok(());
        }
        let leaf = front::leaf(&self.surroundings.authority, &self.deployment)?;
        let pem = format!("{}{}", leaf.certificate_pem(), leaf.key_pem());
        let path = self.directory.path().join(CERTIFICATE);
        write_private(&path, &pem).map_err(|cause| HarnessError::System {
            action: "write the candidate's certificate".to_owned(),
            cause,
        })
    }

    async fn spawn(
        &self,
        configuration: &Configuration,
        doors: &Doors,
    ) -> Result<Instance, HarnessError> {
        match &self.candidate.launch.kind {
            LaunchKind::Process | LaunchKind::Embedded => {}
            LaunchKind::Attached(_) => return Ok(Instance::Attached),
            LaunchKind::InProcess(candidate) => {
                let directory = self.directory.path();
                let listeners = self.listeners(doors).await?;
                let task = candidate.start(listeners, self.upstreams(), directory);
                return Ok(Instance::Task(task));
            }
            #[cfg(feature = "containers")]
            LaunchKind::Container(image) => {
                let arguments = configuration.arguments(&self.candidate.launch.arguments)?;
                let directory = self.directory.path();
                let starting =
                    Container::start(image, &self.binary, &arguments, directory, &self.guard);
                return Ok(Instance::Container(Box::new(starting.await?)));
            }
            #[cfg(not(feature = "containers"))]
            LaunchKind::Container(image) => {
                return Err(HarnessError::Container {
                    image: image.name.clone(),
                    why: "this build knows no containers".to_owned(),
                    help: "build it with the feature `containers`".to_owned(),
                });
            }
        }
        let arguments = configuration.arguments(&self.candidate.launch.arguments)?;
        let program = Program {
            binary: &self.binary,
            directory: self.directory.path(),
            guard: &self.guard,
        };
        Ok(Instance::Process(program.start(&arguments, Words::OUTPUT)?))
    }

    async fn listeners(&self, doors: &Doors) -> Result<Listeners, HarnessError> {
        let mut listeners = BTreeMap::new();
        for door in doors {
            let bound = TcpListener::bind(door.address).await;
            listeners.insert(door.protocol, bound.map_err(starting("a listener"))?);
        }
        Ok(Listeners(listeners))
    }

    fn upstreams(&self) -> Upstreams {
        let address = |name: &String| {
            let first = self.surroundings.addresses(name).first().copied()?;
            Some((name.clone(), first))
        };
        let names = self.deployment.upstreams.keys();
        Upstreams(names.filter_map(address).collect())
    }

    fn remedy(&self, configuration: &Configuration) -> Option<String> {
        let remedy = self.candidate.remedy(&self.words(configuration))?;
        let place = match configuration.locate(&remedy.at) {
            Some((file, place)) => format!("{}:{}: ", file.origin, place.line),
            None => String::new(),
        };
        Some(format!("{place}{}", remedy.change))
    }

    fn words(&self, configuration: &Configuration) -> Vec<String> {
        let words = Words::new(self.directory.path(), self.candidate.launch.log.as_deref());
        let words = words.last().into_iter();
        words
            .map(|line| configuration.in_users_terms(&line))
            .collect()
    }
}

/// Another run may take a port between our choice and the candidate's bind; then others are chosen.
fn is_about_a_taken_address(error: &HarnessError) -> bool {
    let (HarnessError::Refused { words, .. } | HarnessError::NotReady { words, .. }) = error else {
        return false;
    };
    let said = |line: &String| line.to_ascii_lowercase().contains("address already in use");
    words.iter().any(said)
}

/// Two runs that choose the same port at the same moment are rare; three times in a row there is another reason.
const ATTEMPTS: u32 = 3;
