//! A configuration as the oracle reads it, and the server of it that is meant.

use proxyproof_oracle::conf::{LoadError, Loader, Tree, is_glob};
use proxyproof_oracle::location::{LocationId, NginxVersion, Place, Request, Site};
use proxyproof_oracle::routes::{Config, ConfigErrors};
use proxyproof_oracle::setting::{Effective, Scope};
use proxyproof_oracle::upstream::Destination;

use super::Said;
use super::upstreams::shown;
use crate::candidate::own::unconfined::{gate, is_uncertain};
use crate::candidate::own::{OwnConfiguration, Source};
use crate::document::{Document, DocumentError};
use crate::error::HarnessError;

/// A configuration, and the server of it that is meant.
pub(super) struct Reading<'a> {
    pub(super) own: &'a OwnConfiguration,
    pub(super) config: &'a Config,
    pub(super) said: &'a Said,
    /// Its number among the servers.
    pub(super) server: usize,
    /// The host to ask for.
    pub(super) host: String,
    /// The other servers that pass requests on.
    others: Vec<usize>,
}

impl OwnConfiguration {
    /// As the oracle reads it.
    pub(in crate::candidate::own) fn config(&self) -> Result<Config, HarnessError> {
        let text = without_conditions(&self.main);
        Config::read(&self.main.origin, text, &mut Included(self))
            .map_err(|errors| self.refused(&errors))
    }

    /// The first error, at its place.
    fn refused(&self, errors: &ConfigErrors) -> HarnessError {
        if let ConfigErrors::Directives { tree, errors } = errors
            && let Some(first) = errors.first()
        {
            let mut error = self.at_place(tree, first.place, first.problem.to_string());
            error.help = first.problem.help();
            return error.into();
        }
        self.main.lacks(errors.to_string()).into()
    }

    /// An error at a place of one of its files.
    pub(super) fn at_place(&self, tree: &Tree, place: Place, message: String) -> DocumentError {
        let name = tree.name(place.file);
        let source = self.sources().find(|source| source.origin == name);
        let text = source.map_or_else(|| self.main.text.clone(), |source| source.text.clone());
        let span = place.span.start as usize..place.span.end as usize;
        Document::new(name, text).error(span, "here", message)
    }
}

/// The text without conditions of which nobody can say whether they apply, and so without what the copy leaves out to let
/// every client in; all that is left stands where it stood.
fn without_conditions(source: &Source) -> Vec<u8> {
    let mut text = source.text.as_bytes().to_vec();
    source.parsed.walk(&mut |_, directive| {
        if is_uncertain(directive) || gate(directive).is_some() {
            let span = directive.span();
            let bytes = &mut text[span.start as usize..span.end as usize];
            let blank = bytes.iter_mut().filter(|byte| **byte != b'\n');
            blank.for_each(|byte| *byte = b' ');
        }
    });
    text
}

/// The files that were read with the main one.
struct Included<'a>(&'a OwnConfiguration);

impl Loader for Included<'_> {
    fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let mut groups = self.0.included.iter();
        let group = groups.find(|group| group.written == pattern);
        let sources = group.iter().flat_map(|group| &group.sources);
        let files = sources.map(|source| (source.origin.clone(), without_conditions(source)));
        match group {
            // What is not there is left out of the copy, too.
            None if !is_glob(pattern) => Ok(Vec::new()),
            _ => Ok(files.collect()),
        }
    }
}

impl<'a> Reading<'a> {
    /// The server for the host that is said, or the one that leads to a program that is known; else the first that
    /// passes requests on.
    pub(super) fn of(
        own: &'a OwnConfiguration,
        config: &'a Config,
        said: &'a Said,
    ) -> Result<Self, HarnessError> {
        let site = &config.site;
        let serving = serving(site);
        let mut servers = serving.iter().copied();
        let meant = match (&said.gateway, &said.host) {
            (Some(gateway), _) => Some(gateway.server),
            (None, Some(host)) => servers.find(|one| is_for(site, *one, host)),
            (None, None) => servers.min_by_key(|one| (!said.is_at(site, *one), rank(site, *one))),
        };
        let Some(server) = meant else {
            return Err(own.no_site(site, &serving, said).into());
        };
        let own_name = || site.servers[server].host();
        let host = said.host.clone().or_else(own_name);
        Ok(Self {
            own,
            config,
            said,
            server,
            host: host.unwrap_or_else(|| ANY_HOST.to_owned()),
            others: serving.into_iter().filter(|one| *one != server).collect(),
        })
    }

    pub(super) fn site(&self) -> &'a Site {
        &self.config.site
    }

    pub(super) fn version(&self) -> NginxVersion {
        self.said.version.unwrap_or_default()
    }

    /// `site.conf:9`.
    pub(super) fn line(&self, place: Place) -> String {
        self.config.line(place)
    }

    /// What is in force in a location of the server, or in the server itself.
    pub(super) fn in_force(&self, location: Option<LocationId>, name: &str) -> Effective<'a> {
        self.site().effective(self.scope(location), name)
    }

    pub(super) fn scope(&self, location: Option<LocationId>) -> Scope {
        Scope {
            server: self.server,
            location,
        }
    }

    /// A GET as a client of the site sends it.
    pub(super) fn get(&self, target: &str) -> Request {
        Request {
            host: Some(self.host.clone()),
            listener: self.site().servers[self.server]
                .listens
                .first()
                .map(|listen| listen.address.clone()),
            version: self.version(),
            ..Request::get(target)
        }
    }

    /// Sites of the same file that are not the one meant.
    pub(super) fn not_asked(&self) -> Vec<String> {
        let others = self.others.iter().filter_map(|other| {
            let server = &self.site().servers[*other];
            if self.said.gateway.is_some() && is_gateway(self.site(), *other) {
                return None;
            }
            let name = server.host()?;
            let place = self.line(server.place);
            (name != self.host)
                .then(|| format!("not asked: {name} ({place}); `--host {name}` asks it"))
        });
        let mut others: Vec<String> = others.collect();
        others.dedup();
        others
    }
}

impl OwnConfiguration {
    fn no_site(&self, site: &Site, serving: &[usize], said: &Said) -> DocumentError {
        let names = serving.iter().filter_map(|one| site.servers[*one].host());
        let names: Vec<String> = names.collect();
        match &said.host {
            Some(host) if !serving.is_empty() => self
                .main
                .lacks(format!("no server that passes requests on is for `{host}`"))
                .help(format!("there are {}", names.join(", "))),
            _ => self
                .main
                .lacks("no server passes requests on to an upstream")
                .help(match self.missing.as_slice() {
                    [] => "a `location` with `proxy_pass` is what makes a site of a reverse proxy"
                        .to_owned(),
                    missing => {
                        let names = missing.iter().map(|one| one.written.as_str());
                        let names: Vec<&str> = names.collect();
                        format!(
                            "it may stand in an include that is not there: {}; `nginx -T` prints all of them in one file",
                            names.join(", ")
                        )
                    }
                }),
        }
    }
}

/// Where the locations of a server lead, and which they are.
pub(super) fn ways(site: &Site, server: usize) -> Vec<(LocationId, Destination)> {
    let locations = site.servers[server].table.locations();
    let ways = locations.flat_map(|(id, _)| {
        let destinations = site.destinations(Scope::location(server, id));
        destinations.found.into_iter().map(move |found| (id, found))
    });
    ways.collect()
}

/// The servers that pass requests on.
pub(super) fn serving(site: &Site) -> Vec<usize> {
    (0..site.servers.len())
        .filter(|server| !ways(site, *server).is_empty())
        .collect()
}

/// Whether a server leads to a program that is known, or to an OpenAI-like API.
pub(super) fn is_gateway(site: &Site, server: usize) -> bool {
    let shown = shown(site, server);
    let mut shown = shown.values();
    shown.any(|one| one.recognise().is_some() || one.has_api())
}

/// The least is the likeliest to be meant: one that leads to an AI gateway, with TLS, the first of the file.
pub(super) fn rank(site: &Site, server: usize) -> (bool, bool, usize) {
    let tls = site.servers[server].listens.iter().any(|listen| listen.tls);
    (!is_gateway(site, server), !tls, server)
}

fn is_for(site: &Site, server: usize, host: &str) -> bool {
    let listens = site.servers[server].listens.iter();
    let mut listeners = listens.map(|listen| listen.address.clone());
    listeners.any(|listener| {
        let request = Request {
            host: Some(host.to_ascii_lowercase()),
            listener: Some(listener),
            ..Request::get("/")
        };
        let chosen = site.decide(&request).server;
        chosen.is_some_and(|(chosen, _)| chosen == server)
    })
}

/// What a site is asked for that has no name of its own.
const ANY_HOST: &str = "api.example.org";
