//! The proxy under test: what starts it, what it can do, what is known about it.

pub(crate) mod address;
mod apache;
mod binary;
mod caddy;
mod configuration;
#[cfg(feature = "containers")]
mod container;
mod edition;
mod edits;
mod ending;
mod feature;
mod gallery;
mod haproxy;
mod hint;
mod in_process;
mod instance;
mod known_gap;
mod language;
mod launch;
mod left_behind;
mod listener_kind;
mod manifest;
mod own;
mod private_copy;
pub(crate) mod proc_table;
mod process;
mod program;
mod readiness;
mod secrets;
mod template;
mod user_file;
mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::apache::ApacheCopy;
pub use self::binary::Installation;
pub use self::caddy::{CaddyConfiguration, CaddyCopy};
pub use self::configuration::Configuration;
pub(crate) use self::configuration::{CERTIFICATE, write_private};
#[cfg(feature = "containers")]
pub(crate) use self::container::Container;
#[cfg(feature = "containers")]
pub use self::container::fetch;
pub use self::edition::{Edition, NoVersion, Version};
pub use self::ending::Ending;
pub(crate) use self::ending::Foretold;
pub use self::feature::{Feature, UnknownFeature};
pub use self::gallery::Gallery;
pub use self::haproxy::HaproxyCopy;
pub use self::hint::{Hint, Patterns, Remedy};
pub(crate) use self::in_process::Task;
pub use self::in_process::{InProcess, Listeners, Upstreams};
pub(crate) use self::instance::Instance;
pub use self::known_gap::{KnownGap, Occurrence};
pub use self::language::Language;
pub use self::launch::{
    Attachment, ContainerImage, Insertion, Launch, LaunchFile, LaunchKind, Readiness, Role, Signal,
    Signals, Stages, VersionCommand,
};
pub use self::listener_kind::ListenerKind;
pub(crate) use self::manifest::MANIFEST;
pub use self::manifest::manifest_schema;
use self::own::InForce;
pub use self::own::{Gateway, Maps, OwnConfiguration, OwnCopy, Said, SaidUpstream, address};
pub(crate) use self::private_copy::CopyPlaces;
pub use self::private_copy::PrivateCopy;
pub(crate) use self::process::Process;
pub(crate) use self::program::{Program, private_environment};
pub(crate) use self::readiness::Door;
pub use self::readiness::Wanted;
pub use self::secrets::Secrets;
pub(crate) use self::words::Words;
use crate::deployment::Deployment;
use crate::error::HarnessError;
use crate::hint::Hint as Located;
use crate::kind::Purpose;

/// A proxy and everything the harness must know to stage it; made from a manifest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// The name that `run` takes and reports show.
    pub name: String,
    /// One sentence about it.
    pub about: String,
    /// What its version command printed, once somebody asked: [`Candidate::installed`].
    pub version: Option<String>,
    /// How it is started, told things, and stopped.
    pub launch: Launch,
    /// What it can do; a scenario that needs more is skipped.
    pub features: BTreeSet<Feature>,
    /// Failures that are listed with a reason; one that passes is an error.
    pub known: Vec<KnownGap>,
    /// What to change, by finding.
    pub hints: Vec<Hint>,
    /// What to do when it refuses to start.
    pub remedies: Vec<Remedy>,
    /// What holds of some versions only; [`Candidate::installed`] applies it.
    pub editions: Vec<Edition>,
    /// What its configuration holds and no report may show.
    pub secrets: Secrets,
    /// What a user's own configuration says where a request is served.
    pub(crate) in_force: Option<Arc<InForce>>,
    /// Names of defects to switch on; only the embedded reference has any.
    pub defects: Vec<String>,
}

impl Candidate {
    /// Takes a member of the gallery by name, or a folder with a `candidate.toml` by path.
    ///
    /// # Errors
    /// [`HarnessError::UnknownCandidate`] for neither, [`HarnessError::Document`] for a manifest that is wrong.
    pub fn named(name: &str) -> Result<Self, HarnessError> {
        Gallery::embedded().candidate(name)
    }

    /// The same with those gaps alone that show on this site.
    #[must_use]
    pub(crate) fn on(mut self, deployment: &Deployment) -> Self {
        self.known.retain(|gap| gap.shows_on(deployment));
        self
    }

    /// Switches defects of the embedded reference on.
    #[must_use]
    pub fn with_defects<Name: Into<String>>(
        mut self,
        defects: impl IntoIterator<Item = Name>,
    ) -> Self {
        self.defects = defects.into_iter().map(Into::into).collect();
        self
    }

    /// With this text in its native files, behind the first place of what it follows; `None` where no file has that.
    #[must_use]
    pub fn inserting(mut self, insertion: &Insertion) -> Option<Self> {
        let mut found = false;
        for file in &mut self.launch.files {
            if file.role == Role::Native && file.text.contains(&insertion.after) {
                found = true;
                Arc::make_mut(file).insertions.push(insertion.clone());
            }
        }
        found.then_some(self)
    }

    /// Starts another executable than the one the manifest names, or than this process's own.
    #[must_use]
    pub fn with_binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.launch.binary = binary.into();
        self
    }

    /// Whether its manifest says that its configuration is in NGINX's language: [`OwnConfiguration`] can take the place
    /// of it then.
    #[must_use]
    pub fn speaks_nginx(&self) -> bool {
        self.launch.language == Some(Language::Nginx)
    }

    /// Whether its manifest has a file in the proxy's own language, with addresses that are written there.
    #[must_use]
    pub fn has_native_file(&self) -> bool {
        self.launch
            .files
            .iter()
            .any(|file| file.role == Role::Native)
    }

    /// Whether a user's file that it was given names this address by itself.
    #[must_use]
    pub fn names(&self, address: &str) -> bool {
        let files = self.launch.files.iter();
        let mut own = files.filter(|file| file.private_copy.is_some());
        own.any(|file| address::is_in(&file.text, address))
    }

    /// The only deployment that its configuration is for; `None` where that is made for any.
    #[must_use]
    pub fn own_deployment(&self) -> Option<&str> {
        let mut files = self.launch.files.iter();
        files.find_map(|file| file.deployment.as_deref())
    }

    /// Whether its configuration is for this deployment.
    ///
    /// # Errors
    /// [`HarnessError::OtherDeployment`] where it is for another alone, [`HarnessError::NoUpstreamTls`] where an upstream
    /// wants TLS and it speaks none.
    pub fn serves(&self, deployment: &Deployment) -> Result<(), HarnessError> {
        let mut upstreams = deployment.upstreams.iter();
        if let Some((upstream, _)) = upstreams.find(|(_, upstream)| upstream.tls)
            && !self.is_alone()
            && !self.features.contains(&Feature::UpstreamTls)
        {
            return Err(HarnessError::NoUpstreamTls {
                candidate: self.name.clone(),
                upstream: upstream.clone(),
            });
        }
        match self.own_deployment() {
            // What runs already has whatever configuration it was given.
            Some(own) if own != deployment.name && !self.is_alone() => {
                Err(HarnessError::OtherDeployment {
                    candidate: self.name.clone(),
                    own: own.to_owned(),
                    remedy: self.for_any_deployment(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Candidates of the same manifest whose configuration is made for any deployment.
    fn for_any_deployment(&self) -> Vec<String> {
        let family = Gallery::embedded().family(&self.name).unwrap_or_default();
        let any = family
            .into_iter()
            .filter(|one| one.own_deployment().is_none());
        any.map(|one| one.name).collect()
    }

    /// What is asked for until it arrives: what the manifest says, or a request that the site serves.
    #[must_use]
    pub fn readiness_target(&self, deployment: &Deployment) -> String {
        let said = self.launch.readiness.target.clone();
        let plain = || Some(deployment.endpoint(Purpose::Plain)?.target);
        said.or_else(plain).unwrap_or_else(|| "/".to_owned())
    }

    /// Runs it in a container: of this image, or of the one that its manifest names.
    ///
    /// # Errors
    /// [`HarnessError::NoImage`] for a manifest without `[launch.container]`, when no image is given.
    pub fn in_container(mut self, image: Option<&str>) -> Result<Self, HarnessError> {
        let mut container = match (self.launch.container.clone(), image) {
            (Some(container), _) => container,
            (None, Some(name)) => ContainerImage {
                name: name.to_owned(),
                binary: None,
            },
            (None, None) => {
                return Err(HarnessError::NoImage {
                    candidate: self.name,
                });
            }
        };
        if let Some(name) = image {
            name.clone_into(&mut container.name);
        }
        self.launch.kind = LaunchKind::Container(container);
        Ok(self)
    }

    /// A candidate that is a future in this process: for tests of a proxy that is written in Rust.
    ///
    /// `make` is called for every stage, with listeners that are bound already and the addresses of the upstreams; its
    /// future is dropped when the stage stops. It is taken to serve HTTP/1.1 and WebSockets and to pass uploads on;
    /// [`Candidate::with_features`] says otherwise, as that it reads the PROXY protocol.
    pub fn in_process<Serving>(
        name: &str,
        make: impl Fn(Listeners, Upstreams) -> Serving + Send + Sync + 'static,
    ) -> Self
    where
        Serving: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let kind = LaunchKind::InProcess(InProcess::new(make));
        Self::without_manifest(name, "a proxy in this process", kind).with_features([
            Feature::HttpOne,
            Feature::WebSocket,
            Feature::StreamedUpload,
        ])
    }

    /// A proxy that runs already and nobody has a manifest for: it is taken to speak both protocols, to read the PROXY
    /// protocol, and not to be told anything.
    #[must_use]
    pub fn attached(attachment: Attachment) -> Self {
        let kind = LaunchKind::Attached(Attachment::default());
        Self::without_manifest("attached", "a proxy that runs already", kind)
            .with_features([
                Feature::ProxyProtocolV1,
                Feature::ProxyProtocolV2,
                Feature::HttpOne,
                Feature::HttpTwo,
                Feature::WebSocket,
                Feature::StreamedUpload,
            ])
            .attach(attachment)
    }

    /// The same proxy, that runs already: nothing of it is started, told or stopped.
    #[must_use]
    pub fn attach(mut self, attachment: Attachment) -> Self {
        let serves = |protocol| attachment.listeners.contains_key(&protocol);
        if !serves(crate::Protocol::H1) {
            self.features.remove(&Feature::HttpOne);
        }
        if !serves(crate::Protocol::H2) {
            self.features.remove(&Feature::HttpTwo);
        }
        self.launch.kind = LaunchKind::Attached(attachment);
        for told in [Feature::Reload, Feature::Drain, Feature::Defects] {
            self.features.remove(&told);
        }
        self
    }

    /// Can do exactly this.
    #[must_use]
    pub fn with_features(mut self, features: impl IntoIterator<Item = Feature>) -> Self {
        self.features = features.into_iter().collect();
        self
    }

    fn without_manifest(name: &str, about: &str, kind: LaunchKind) -> Self {
        Self {
            name: name.to_owned(),
            about: about.to_owned(),
            version: None,
            launch: Launch {
                kind,
                language: None,
                container: None,
                binary: PathBuf::new(),
                arguments: Vec::new(),
                version: None,
                validate: None,
                files: Vec::new(),
                signals: Signals::default(),
                log: None,
                readiness: Readiness {
                    target: None,
                    within: None,
                },
            },
            features: BTreeSet::new(),
            known: Vec::new(),
            hints: Vec::new(),
            remedies: Vec::new(),
            editions: Vec::new(),
            secrets: Secrets::default(),
            in_force: None,
            defects: Vec::new(),
        }
    }

    /// Whether one stage only can be there at a time: the addresses of the mocks are fixed.
    #[must_use]
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self.launch.kind, LaunchKind::Attached(_))
    }

    /// Whether it can do all of `needed`; the missing ones otherwise.
    pub fn lacks(&self, needed: &[Feature]) -> Vec<Feature> {
        let has = |feature: &&Feature| !self.features.contains(*feature);
        needed.iter().filter(has).copied().collect()
    }

    /// What the manifest knows to do about a candidate's last words.
    #[must_use]
    pub fn remedy(&self, words: &[String]) -> Option<&Remedy> {
        let known = |remedy: &&Remedy| words.iter().any(|line| line.contains(&remedy.says));
        self.remedies.iter().find(known)
    }

    /// The first hint whose pattern matches a finding's code.
    #[must_use]
    pub fn hint(&self, finding: &str) -> Option<&Hint> {
        self.hints.iter().find(|hint| hint.answers(finding))
    }

    /// What to change for a finding on this site, at its place: by what is in force where its request was served, for a user's
    /// own file; else the first advice that the files do not follow already, or the first where they follow all.
    pub(crate) fn hint_for(
        &self,
        code: &str,
        sent: Option<&str>,
        deployment: &Deployment,
    ) -> Option<Located> {
        let answers = |hint: &&Hint| hint.answers(code) && hint.is_for(deployment);
        let mut hints = self.hints.iter().filter(answers);
        if let Some(in_force) = &self.in_force {
            return in_force.hint(hints, sent);
        }
        let first = hints.clone().next();
        let hint = hints.find(|hint| !hint.is_followed(self.files())).or(first);
        hint.map(|hint| Located::resolve(hint, self.files()))
    }

    /// The known gaps that cover a scenario asked through a protocol.
    pub fn known_gaps<'c>(
        &'c self,
        scenario: &'c str,
        protocol: crate::Protocol,
    ) -> impl Iterator<Item = &'c KnownGap> {
        let gaps = self.known.iter();
        gaps.filter(move |gap| gap.covers(scenario, protocol))
    }

    /// The files of its configuration by name, as the user wrote them.
    #[must_use]
    pub fn files(&self) -> &[Arc<LaunchFile>] {
        &self.launch.files
    }
}
