//! A configuration of one's own in the place of a candidate's.

use std::path::Path;

use proxyproof_harness::{
    Candidate, Deployment, Feature, Kind, Protocol,
    candidate::{
        CaddyConfiguration, Gateway, Language, Maps, OwnConfiguration, Said, SaidUpstream, address,
    },
    deployment::Front,
};

use proxyproof_oracle::location::NginxVersion;

use super::{build, how::Named};
use crate::{
    args::{HowArguments, OwnArguments},
    error::CommandError,
};

/// A proxy, and what it serves.
pub(crate) struct Site {
    pub(crate) candidate: Candidate,
    pub(crate) deployment: Deployment,
    /// What has to be typed besides to ask it alone, each option with a blank before it.
    pub(crate) chosen: String,
}

impl Site {
    pub(crate) fn alone(candidate: Candidate, deployment: Deployment) -> Self {
        Self {
            candidate,
            deployment,
            chosen: String::new(),
        }
    }
}

/// The candidate as it is in the gallery, or with the user's configuration, which the deployment then follows: once for each
/// site of the file that leads to an AI gateway, unless people say which one they mean.
pub(crate) fn sites(
    arguments: &OwnArguments,
    name: &str,
    how: Option<&HowArguments>,
    said: Named,
    mut deployment: Deployment,
) -> Result<Vec<Site>, CommandError> {
    let binary = how.and_then(|how| how.binary.as_deref());
    let mut named = Candidate::named(name)?;
    // Some languages only the program itself can read.
    if let Some(binary) = binary {
        named = named.with_binary(binary);
    }
    let Some(path) = &arguments.config else {
        if let Some(front) = arguments.front {
            stand_behind(front, &named, &mut deployment)?;
        }
        return Ok(vec![Site::alone(named, deployment)]);
    };
    if deployment == Deployment::cpa_two_hosts() {
        // The limit of the published site: a user's own file may let larger bodies through.
        deployment.limits.refuse_larger = false;
    }
    let maps = match arguments.assume_maps {
        true => Maps::Assumed,
        false => Maps::AsWritten,
    };
    let own = match (UserConfiguration::read(path, &named, binary, maps)?, said) {
        (UserConfiguration::Nginx(own), Named::No) => {
            return derived(&own, arguments, &named, how);
        }
        (own, _) => own,
    };
    if let UserConfiguration::Nginx(own) = &own {
        deployment.conclusions = own.left_out_of_the_copy();
    }
    // Which of its servers is meant shows by where they pass requests on to.
    for (name, written) in &arguments.upstream {
        let known: Vec<String> = deployment.upstreams.keys().cloned().collect();
        let upstream = deployment.upstreams.get_mut(name);
        let upstream = upstream.ok_or_else(|| unknown("--upstream", name, &known.join(" and ")))?;
        upstream.move_to(written);
    }
    own.stand_behind(arguments.front, &mut deployment)?;
    for (name, written) in &arguments.listen {
        let listener = protocol(name)
            .filter(|protocol| deployment.listeners.contains_key(protocol))
            .ok_or_else(|| unknown("--listen", name, "h1 and h2"))?;
        deployment.move_listener(listener, own.address(written));
    }
    let host = own.host(&deployment);
    if let Some(host) = arguments.host.clone().or(host) {
        deployment.rename_api(&host);
    }
    let candidate = match own {
        UserConfiguration::Nginx(own) => {
            let candidate = own.of(name, &deployment)?;
            keep_what_is_named(&candidate, &mut deployment);
            candidate
        }
        UserConfiguration::Caddy(own) => own.of(named, &deployment)?,
        UserConfiguration::Unread => named.with_configuration(path, &deployment)?,
    };
    Ok(vec![Site::alone(candidate, deployment)])
}

/// The candidate with the user's file, on the sites that the file itself describes.
fn derived(
    own: &OwnConfiguration,
    arguments: &OwnArguments,
    named: &Candidate,
    how: Option<&HowArguments>,
) -> Result<Vec<Site>, CommandError> {
    let listeners = arguments.listen.iter().map(|(name, written)| {
        let protocol = protocol(name).ok_or_else(|| unknown("--listen", name, "h1 and h2"))?;
        Ok((protocol, written.clone()))
    });
    let upstreams = arguments.upstream.iter().map(|(name, written)| {
        let (address, kind) = match written.split_once(",kind=") {
            Some((address, kind)) => (address, Some(Kind::named(kind)?)),
            None => (written.as_str(), None),
        };
        Ok::<_, CommandError>(SaidUpstream {
            name: name.clone(),
            address: address.to_owned(),
            kind,
        })
    });
    let said = Said {
        host: arguments.host.clone(),
        gateway: None,
        front: arguments.front,
        listeners: listeners.collect::<Result<_, CommandError>>()?,
        upstreams: upstreams.collect::<Result<_, _>>()?,
        version: version(named, how),
    };
    let is_image = how.is_some_and(|how| how.container.is_some());
    let own = own.clone().on((!is_image).then_some(named))?;
    let site = |gateway: Option<Gateway>| {
        let chosen = gateway.as_ref().map(choice).unwrap_or_default();
        let said = Said {
            gateway,
            ..said.clone()
        };
        let deployment = own.derive(&said)?;
        let mut candidate = own.clone().of(&named.name, &deployment)?;
        if let Some(binary) = how.and_then(|how| how.binary.as_ref()) {
            candidate = candidate.with_binary(binary);
        }
        Ok(Site {
            candidate,
            deployment,
            chosen,
        })
    };
    let one_is_meant = said.host.is_some() || !said.listeners.is_empty();
    match own.gateways()? {
        several if several.len() > 1 && !one_is_meant => {
            several.into_iter().map(|one| site(Some(one))).collect()
        }
        _ => Ok(vec![site(None)?]),
    }
}

/// What chooses a site among those of its file.
fn choice(gateway: &Gateway) -> String {
    match (&gateway.host, &gateway.listener) {
        (Some(host), _) => format!(" --host {host}"),
        (None, Some(listener)) => format!(" --listen h1={listener}"),
        (None, None) => String::new(),
    }
}

/// The release of NGINX that runs, where its program or the tag of its image says it.
fn version(candidate: &Candidate, how: Option<&HowArguments>) -> Option<NginxVersion> {
    let image = how.and_then(|how| how.container.as_ref());
    let told = match image {
        Some(image) => image.rsplit_once(':').map(|(_, tag)| tag.to_owned()),
        None => {
            let binary = how.and_then(|how| how.binary.as_deref());
            let installed = build::installed(candidate.clone(), binary);
            installed.ok().and_then(|one| one.version)
        }
    };
    let number = |text: &str| {
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        text[..end.unwrap_or(text.len())].parse().ok()
    };
    told.and_then(|text| number(&text))
}

/// An upstream of the published site that a user's file has nowhere is none of the user's site.
fn keep_what_is_named(candidate: &Candidate, deployment: &mut Deployment) {
    let upstreams = deployment.upstreams.iter();
    let missing = upstreams
        .filter(|(_, upstream)| !upstream.addresses().any(|address| candidate.names(address)));
    let missing: Vec<String> = missing.map(|(name, _)| name.clone()).collect();
    if missing.len() < deployment.upstreams.len() {
        for name in missing {
            deployment.remove_upstream(&name);
        }
    }
}

/// A user's file, as far as the harness reads its language.
enum UserConfiguration {
    Nginx(OwnConfiguration),
    Caddy(CaddyConfiguration),
    Unread,
}

impl UserConfiguration {
    fn read(
        path: &Path,
        candidate: &Candidate,
        binary: Option<&Path>,
        maps: Maps,
    ) -> Result<Self, CommandError> {
        match candidate.launch.language {
            Some(Language::Nginx) => Ok(Self::Nginx(OwnConfiguration::read(path)?.with_maps(maps))),
            Some(Language::Caddyfile) => {
                // It is the program that reads it: one that is none is better said before.
                let candidate = build::installed(candidate.clone(), binary)?;
                Ok(Self::Caddy(CaddyConfiguration::read(path, &candidate)?))
            }
            _ => Ok(Self::Unread),
        }
    }

    fn stand_behind(
        &self,
        front: Option<Front>,
        deployment: &mut Deployment,
    ) -> Result<(), CommandError> {
        match (front, self) {
            (front, Self::Caddy(own)) => own.stand_behind(front, deployment)?,
            (None, _) => {}
            (Some(front), Self::Nginx(own)) => own.stand_behind(front, deployment)?,
            // Only the file knows whether it ends TLS; with whose certificate, it does not say to us.
            (Some(front), Self::Unread) => deployment.put_behind(front, false),
        }
        Ok(())
    }

    /// A listener's address as the deployment has it.
    fn address(&self, written: &str) -> String {
        match self {
            Self::Caddy(_) => CaddyConfiguration::address(written),
            _ => address(written),
        }
    }

    fn host(&self, deployment: &Deployment) -> Option<String> {
        match self {
            Self::Nginx(own) => own.host(deployment),
            Self::Caddy(own) => own.host(deployment),
            Self::Unread => None,
        }
    }
}

/// Puts the deployment of a member of the gallery behind another front.
fn stand_behind(
    front: Front,
    candidate: &Candidate,
    deployment: &mut Deployment,
) -> Result<(), CommandError> {
    let ends_tls = candidate.features.contains(&Feature::Tls);
    let why = match front {
        Front::Tunnel => None,
        _ if candidate.has_native_file() => {
            Some("its own configuration waits for a PROXY header; --config takes another one")
        }
        Front::None if !ends_tls => Some("it cannot end TLS itself"),
        _ => None,
    };
    if let Some(why) = why {
        return Err(CommandError::Front {
            front: front.name(),
            candidate: candidate.name.clone(),
            why,
        });
    }
    deployment.put_behind(front, ends_tls);
    Ok(())
}

/// The protocol of a listener; `h2c` is what NGINX and others call HTTP/2 without TLS.
pub(crate) fn protocol(name: &str) -> Option<Protocol> {
    let name = if name == "h2c" { "h2" } else { name };
    name.parse().ok()
}

/// What was typed, each option with a blank before it.
pub(crate) fn typed(arguments: &OwnArguments) -> String {
    let mut typed = String::new();
    if let Some(path) = &arguments.config {
        typed.push_str(&format!(" --config {}", path.display()));
    }
    if arguments.assume_maps {
        typed.push_str(" --assume-maps");
    }
    if let Some(host) = &arguments.host {
        typed.push_str(&format!(" --host {host}"));
    }
    if let Some(front) = arguments.front {
        typed.push_str(&format!(" --front {}", front.name()));
    }
    for (protocol, address) in &arguments.listen {
        typed.push_str(&format!(" --listen {protocol}={address}"));
    }
    for (name, address) in &arguments.upstream {
        typed.push_str(&format!(" --upstream {name}={address}"));
    }
    typed
}

/// A name of an option's that the deployment does not have.
pub(super) fn unknown(option: &'static str, name: &str, known: &str) -> CommandError {
    CommandError::UnknownName {
        option,
        name: name.to_owned(),
        known: known.to_owned(),
    }
}
