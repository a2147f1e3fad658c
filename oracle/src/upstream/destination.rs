use std::cell::Cell;
use std::collections::BTreeSet;

use super::address::Address;
use crate::location::{Action, NotModelled, Place, ProxyPass, Script, Site, Template, split_uri};
use crate::setting::Scope;

/// One place that a `proxy_pass` leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// Whether NGINX speaks TLS to it (`https://`).
    pub scheme: Scheme,
    /// The name of an `upstream`, or host and port, as [`Answer::Proxied`](crate::location::Answer::Proxied) has it:
    /// variables replaced, nothing completed.
    pub upstream: String,
    /// Index of the group in [`Site::upstreams`], if it is one.
    pub group: Option<usize>,
    /// Where connections go: the addresses of the group's servers, or the one address.
    pub addresses: Vec<Address>,
    /// The URI part, with variables as written; `None` if the request's own target goes through.
    pub uri: Option<Vec<u8>>,
    /// The `proxy_pass`.
    pub place: Place,
}

/// The scheme of a `proxy_pass`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// `http://`
    Http,
    /// `https://`
    Https,
}

impl Scheme {
    /// The port where none is written.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// All that the `proxy_pass` directives of a location may lead to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Destinations {
    /// What is known; each once, in the order of the file.
    pub found: Vec<Destination>,
    /// What depends on something that is not (a variable of the request).
    pub unknown: Vec<NotModelled>,
}

impl Site {
    /// Where a location passes requests on, its `if` blocks included: variables are replaced by every value that `set`
    /// and `map` give them.
    pub fn destinations(&self, scope: Scope) -> Destinations {
        let mut destinations = Destinations::default();
        let Some(server) = self.servers.get(scope.server) else {
            return destinations;
        };
        let location = scope
            .location
            .and_then(|id| server.table.locations().nth(id.index()))
            .map(|(_, location)| location);
        let mut scripts = vec![&server.script];
        let mut passes = Vec::new();
        if let Some(location) = location {
            scripts.push(&location.script);
            passes.extend(proxied(&location.action));
            conditional_passes(&location.script, &mut passes);
        }
        let resolver = Resolver {
            site: self,
            scripts,
            server_name: server.names.first().map(ToString::to_string),
            steps: Cell::new(0),
        };
        for pass in passes {
            destinations.add(&resolver, pass);
        }
        destinations
    }

    /// What a text in place of a `proxy_pass` URL addresses; `None` for one without a scheme or a host.
    fn destination(&self, url: &[u8], place: Place) -> Option<Destination> {
        let lower = url.to_ascii_lowercase();
        let (scheme, rest) = match lower.starts_with(b"https://") {
            true => (Scheme::Https, &url[8..]),
            false => (
                Scheme::Http,
                lower.starts_with(b"http://").then(|| &url[7..])?,
            ),
        };
        let (host, _) = split_uri(rest);
        // A variable that is left begins with a slash.
        let end = host
            .iter()
            .position(|byte| *byte == b'$')
            .unwrap_or(host.len());
        let (upstream, uri) = (
            &rest[..end],
            rest[end..].strip_prefix(b":").unwrap_or(&rest[end..]),
        );
        let upstream = String::from_utf8_lossy(upstream).into_owned();
        let group = self
            .upstreams
            .iter()
            .position(|group| group.name == upstream);
        let addresses: Vec<Address> = match group {
            Some(group) => {
                let servers = self.upstreams[group].servers.iter();
                servers
                    .filter_map(|server| server.address.clone())
                    .collect()
            }
            None => Address::parse(&upstream, scheme.port())
                .into_iter()
                .collect(),
        };
        (!upstream.is_empty()).then(|| Destination {
            scheme,
            upstream,
            group,
            addresses,
            uri: (!uri.is_empty()).then(|| uri.to_vec()),
            place,
        })
    }
}

fn proxied(action: &Action) -> Option<&ProxyPass> {
    match action {
        Action::Proxy(pass) => Some(pass),
        _ => None,
    }
}

fn conditional_passes<'a>(script: &'a Script, passes: &mut Vec<&'a ProxyPass>) {
    for (action, body) in script.conditional() {
        passes.extend(action.and_then(proxied));
        conditional_passes(body, passes);
    }
}

impl Destinations {
    fn add(&mut self, resolver: &Resolver<'_>, pass: &ProxyPass) {
        let place = pass.place.unwrap_or_default();
        let mut urls = BTreeSet::new();
        let known = resolver.authorities(&Template::parse(&pass.url), INDIRECT, &mut urls);
        if let Err(variable) = known {
            let what = format!("variable `${variable}` in `proxy_pass`");
            self.unknown.push(NotModelled::new(what, pass.place));
        }
        for url in urls {
            match resolver.site.destination(&url, place) {
                Some(found) if !self.found.contains(&found) => self.found.push(found),
                Some(_) => {}
                None => {
                    let what = format!("`proxy_pass {}`", String::from_utf8_lossy(&url));
                    self.unknown.push(NotModelled::new(what, pass.place));
                }
            }
        }
    }
}

/// Finds what variables may hold.
struct Resolver<'a> {
    site: &'a Site,
    /// The `set` directives that may have run.
    scripts: Vec<&'a Script>,
    server_name: Option<String>,
    /// How many variables were replaced.
    steps: Cell<usize>,
}

impl Resolver<'_> {
    /// Every URL a template may come to. Behind the host, variables are left as they are written.
    ///
    /// The error is a variable whose values are not known; what is known besides is in `urls` all the same.
    fn authorities(
        &self,
        template: &Template,
        depth: usize,
        urls: &mut BTreeSet<Vec<u8>>,
    ) -> Result<(), String> {
        let text = template.written();
        let Some((before, name, after)) = template.first_variable() else {
            urls.insert(text);
            return Ok(());
        };
        if host_is_complete(&before) || is_path(&name) {
            urls.insert(text);
            return Ok(());
        }
        let unknown = || Err(name.clone());
        let values = self.values(&name);
        let Some(depth) = depth.checked_sub(1) else {
            return unknown();
        };
        if values.is_empty() {
            return unknown();
        }
        let mut outcome = Ok(());
        for value in values {
            self.steps.set(self.steps.get() + 1);
            if self.steps.get() > MOST {
                return unknown();
            }
            let whole = [before.as_slice(), &value, &after].concat();
            let known = self.authorities(&Template::parse(&whole), depth, urls);
            outcome = outcome.and(known);
        }
        outcome
    }

    /// What `set`, `map` and their like give to a variable, as written; empty where nothing does.
    fn values(&self, name: &str) -> BTreeSet<Vec<u8>> {
        let name = name.to_ascii_lowercase();
        let mut values: BTreeSet<Vec<u8>> = self
            .scripts
            .iter()
            .flat_map(|script| script.values_of(&name))
            .collect();
        values.extend(self.site.map_values(&name));
        if let ("server_name", Some(server_name)) = (name.as_str(), &self.server_name) {
            values.insert(server_name.clone().into_bytes());
        }
        values.remove(&b""[..]);
        values
    }
}

/// Whether the text has a host that ends before its end.
fn host_is_complete(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let rest = text.split_once("://").map(|(_, rest)| rest);
    rest.is_some_and(|rest| match rest.strip_prefix("unix:") {
        Some(path) => path.contains(':'),
        None => rest.contains(['/', '?']),
    })
}

/// Variables that begin with a slash, so that a host ends before them.
fn is_path(name: &str) -> bool {
    ["request_uri", "uri", "document_uri", "is_args"].contains(&name)
}

/// Variables that hold variables, so often.
const INDIRECT: usize = 8;
/// So many variables are replaced; a file in which that is not enough plays tricks.
const MOST: usize = 1024;
