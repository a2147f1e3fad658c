//! What the site wants, whatever proxy it gets: [`Deployment`].

mod addresses;
mod endpoint;
mod fallback;
mod gallery;
mod location;
mod owner;
mod promises;
mod raw;
pub(crate) mod size;
mod stub;
mod upstream;
mod validation;
pub(crate) mod written;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;
use schemars::JsonSchema;
use serde::Serialize;

pub use self::endpoint::Endpoint;
pub use self::fallback::Fallback;
pub use self::location::{Location, LocationKind};
pub use self::owner::RouteOwner;
pub use self::stub::Stub;
pub use self::upstream::{PublishedServer, PublishedUpstream};
use crate::document::Document;
use crate::error::HarnessError;
use crate::promise::{Promise, Source};
use crate::protocol::Protocol;

/// Hosts, listeners, upstreams, routes, limits and identity rules of one site; read from TOML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Deployment {
    /// Its name in reports.
    pub name: String,
    /// One sentence about it.
    pub about: String,
    /// What stands in front of the candidate.
    pub front: Front,
    /// The public host names.
    pub hosts: Hosts,
    /// The candidate's listeners; the addresses are those of the published configuration.
    pub listeners: BTreeMap<Protocol, PublishedListener>,
    /// The programs behind the candidate, by name.
    pub upstreams: BTreeMap<String, PublishedUpstream>,
    /// Who gets which path, in the order of the file.
    pub routes: Vec<Route>,
    /// Those of upstreams that were removed: who gets their paths is nobody's promise.
    pub(crate) removed_routes: Vec<Route>,
    /// Sizes and times.
    pub limits: Limits,
    /// Whose address must arrive.
    pub identity: Identity,
    /// The front's table, as published.
    pub fallbacks: Vec<Fallback>,
    /// What was concluded about it, and from where, a sentence each; none for a deployment that somebody wrote.
    pub conclusions: Vec<String>,
}

/// What stands in front of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Front {
    /// Nothing: clients connect to the candidate, which may end TLS itself.
    None,
    /// A server that ends TLS and passes the bytes on: the candidate knows every client by the front's address.
    Tls,
    /// A tunnel server: it ends TLS, chooses by SNI and ALPN, and names the client in a PROXY header.
    #[default]
    Tunnel,
}

impl Front {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::None, Self::Tls, Self::Tunnel];

    /// The name in deployments and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tls => "tls",
            Self::Tunnel => "tunnel",
        }
    }
}

/// The public host names of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hosts {
    /// The host of the AI gateway.
    pub api: String,
    /// The host of the tunnel's own site, where there is one.
    pub tunnel: Option<String>,
    /// Who wants requests for other hosts refused.
    pub others_refused: Option<Source>,
}

/// A listener of the candidate as published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedListener {
    /// `host:port`; the stage replaces it by an address of its own.
    pub address: String,
    /// Whether a connection must begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// Whether the candidate ends TLS here itself.
    pub tls: bool,
}

/// Whether connections carry the PROXY protocol (the HAProxy specification, versions 1 and 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProxyProtocol {
    /// No header.
    None,
    /// The text header.
    V1,
    /// The binary header.
    V2,
}

impl ProxyProtocol {
    /// The version of the header; none without one.
    #[must_use]
    pub fn version(self) -> Option<ProxyVersion> {
        match self {
            Self::None => None,
            Self::V1 => Some(ProxyVersion::V1),
            Self::V2 => Some(ProxyVersion::V2),
        }
    }
}

/// One row of the route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Which paths.
    pub location: Location,
    /// Who answers.
    pub to: Destination,
    /// What the upstream sees in the place of the location's own path; `None` where paths stay what they are.
    pub replace: Option<String>,
    /// How request bodies must be passed on.
    pub request_body: RequestBody,
}

/// Who answers the requests of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The upstream of this name.
    Upstream(String),
    /// Whichever a variable of the proxy chooses: nothing is promised of these paths.
    Any,
    /// The proxy itself, so that nothing arrives.
    Proxy(OwnAnswer),
}

/// How a deployment writes [`Destination::Any`].
const ANY_UPSTREAM: &str = "*";

/// An answer of the proxy's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnAnswer {
    /// Its status; `None` for a file, or whatever it finds.
    pub status: Option<u16>,
    /// Where a redirect leads to.
    pub location: Option<String>,
}

impl Route {
    /// The upstream's name; `None` where the proxy answers itself, or chooses one by what only it knows.
    #[must_use]
    pub fn upstream(&self) -> Option<&str> {
        match &self.to {
            Destination::Upstream(name) => Some(name),
            Destination::Any | Destination::Proxy(_) => None,
        }
    }
}

/// How a request body must reach the upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestBody {
    /// As it arrives.
    Streamed,
    /// As the candidate likes.
    #[default]
    Any,
}

/// Sizes and times that the site wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The largest request body that has to pass, in bytes; without one the kinds of the upstreams say it.
    pub request_body: Option<Promise<u64>>,
    /// Whether larger ones have to be refused: a proxy that lets more through is no fault otherwise.
    pub refuse_larger: bool,
    /// How long an upstream may be silent.
    pub read_timeout: Option<Promise<Duration>>,
    /// How long an upstream may take no byte.
    pub send_timeout: Option<Promise<Duration>>,
}

/// Whose address must arrive at the upstreams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Peers that may say whom they speak for.
    pub trusted: Vec<IpAddr>,
    /// What `X-Forwarded-Proto` must say.
    pub scheme: String,
    /// Who wants programs to be told the scheme.
    pub scheme_told: Source,
    /// The port that clients see.
    pub port: u16,
}

impl Deployment {
    /// Names of the embedded deployments, the published configuration's first.
    pub const EMBEDDED: [&str; gallery::NAMES.len()] = gallery::NAMES;

    /// The deployment of the published configuration.
    #[must_use]
    pub fn cpa_two_hosts() -> Self {
        let published = gallery::embedded(Self::EMBEDDED[0]);
        let published = published.expect("its name is the first of those that are embedded");
        published.expect("every embedded deployment is read by a test of this file")
    }

    /// Whether the front leads to the candidate.
    pub(crate) fn has_a_way_through_the_front(&self) -> bool {
        match self.front {
            Front::None => false,
            Front::Tls => true,
            Front::Tunnel => self
                .fallbacks
                .iter()
                .any(|fallback| fallback.name.is_empty() || fallback.name == self.hosts.api),
        }
    }

    /// The address of every server, with the name of its upstream.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, String)> {
        let upstreams = self.upstreams.iter();
        let addresses = upstreams.flat_map(|(name, upstream)| {
            let own = upstream.addresses();
            own.map(|address| (name.clone(), address.to_owned()))
        });
        addresses.collect()
    }

    /// Without this upstream and the routes that lead to it.
    pub fn remove_upstream(&mut self, name: &str) {
        self.upstreams.remove(name);
        let routes = std::mem::take(&mut self.routes).into_iter();
        let (removed, kept) = routes.partition(|route| route.upstream() == Some(name));
        self.routes = kept;
        self.removed_routes.extend::<Vec<Route>>(removed);
    }

    /// Puts a listener elsewhere; what the front's table sends there follows.
    ///
    /// # Panics
    /// When there is no such listener.
    pub fn move_listener(&mut self, protocol: Protocol, address: String) {
        let listener = self.listeners.get_mut(&protocol);
        let listener = listener.expect("the caller names one of `listeners`");
        let before = std::mem::replace(&mut listener.address, address);
        for fallback in &mut self.fallbacks {
            if fallback.dest == before {
                fallback.dest.clone_from(&listener.address);
            }
        }
    }

    /// The same site behind another front; without a tunnel server there is no PROXY header at any listener.
    ///
    /// Where nothing is in front, the candidate ends TLS itself if `ends_tls`; else the site is a plain one.
    pub fn put_behind(&mut self, front: Front, ends_tls: bool) {
        self.front = front;
        for listener in self.listeners.values_mut() {
            listener.tls = front == Front::None && ends_tls;
            if front != Front::Tunnel {
                listener.proxy_protocol = ProxyProtocol::None;
            }
        }
        if front == Front::None && !ends_tls {
            "http".clone_into(&mut self.identity.scheme);
            self.identity.port = 80;
        }
    }

    /// Reads a deployment.
    ///
    /// # Errors
    /// [`HarnessError::Document`] with the place where the text is unreadable or contradicts itself.
    pub fn parse(file: &str, text: &str) -> Result<Self, HarnessError> {
        let document = Document::new(file, text);
        Ok(validation::Validation::new(&document).deployment(document.parse()?)?)
    }

    /// The same site with its API under another host; gives the one before where that is another.
    pub fn rename_api(&mut self, domain: &str) -> Option<String> {
        if self.hosts.api == domain {
            return None;
        }
        let before = std::mem::replace(&mut self.hosts.api, domain.to_owned());
        for fallback in &mut self.fallbacks {
            if fallback.name == before {
                domain.clone_into(&mut fallback.name);
            }
        }
        Some(before)
    }

    /// Reads an embedded deployment by name, or a file by path.
    ///
    /// # Errors
    /// [`HarnessError::UnknownDeployment`] for neither, and what [`Deployment::parse`] and reading give.
    pub fn named(name: &str) -> Result<Self, HarnessError> {
        let path = Path::new(name);
        if !path.exists() {
            let unknown = || HarnessError::UnknownDeployment {
                name: name.to_owned(),
            };
            return gallery::embedded(name).unwrap_or_else(|| Err(unknown()));
        }
        let text = std::fs::read_to_string(path).map_err(|cause| HarnessError::Unreadable {
            file: name.to_owned(),
            cause,
        })?;
        Self::parse(name, &text)
    }
}

/// The JSON Schema (draft 2020-12) of a deployment's TOML, indented.
#[must_use]
pub fn deployment_schema() -> String {
    crate::schema::text_of::<raw::RawDeployment>()
}

#[cfg(test)]
mod tests;
