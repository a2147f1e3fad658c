//! The programs behind a site: the groups and addresses that its locations lead to.

use std::collections::BTreeMap;

use proxyproof_oracle::location::{LocationId, Site};
use proxyproof_oracle::upstream::{Address, Destination, Role, Scheme, UpstreamServer};

use super::reading::{Reading, ways};
use super::recognise::Shown;
use crate::candidate::own::has_port;
use crate::deployment::{PublishedServer, PublishedUpstream};
use crate::kind::Kind;
use crate::promise::{Promise, Source};

/// A program behind the site, and how it is written.
pub(super) struct FoundUpstream {
    pub(super) name: String,
    pub(super) published: PublishedUpstream,
    /// In each way a `proxy_pass` writes it: a group's name, or host and port.
    pub(super) written: Vec<String>,
    /// The locations that lead to it, in the order of the file.
    pub(super) locations: Vec<LocationId>,
    pub(super) conclusion: String,
}

impl Reading<'_> {
    /// Every program behind the server.
    pub(super) fn upstreams(&self) -> Vec<FoundUpstream> {
        let mut found: Vec<FoundUpstream> = Vec::new();
        let all_shown = shown(self.site(), self.server);
        let api = all_shown.values().any(Shown::has_api);
        for (location, destination) in ways(self.site(), self.server) {
            let servers = servers(self.site(), &destination);
            if servers.is_empty() {
                continue;
            }
            let known = found.iter_mut().find(|one| {
                let mut own = servers.iter();
                own.any(|server| one.published.is_at(&server.address))
            });
            if let Some(known) = known {
                known.locations.push(location);
                if !known.written.contains(&destination.upstream) {
                    known.written.push(destination.upstream);
                }
                continue;
            }
            let shown = &all_shown[&destination.upstream];
            let mut one = self.upstream(&destination, servers, shown, api);
            one.name = distinct(&one.name, &found);
            one.locations.push(location);
            found.push(one);
        }
        found
    }

    fn upstream(
        &self,
        destination: &Destination,
        servers: Vec<PublishedServer>,
        shown: &Shown,
        site_has_api: bool,
    ) -> FoundUpstream {
        let said = self.said.upstreams.iter().find(|said| {
            said.address == destination.upstream
                || servers.iter().any(|server| server.address == said.address)
        });
        let recognised = shown.recognise();
        let (kind, by) = match (said, recognised) {
            (Some(said), _) if said.kind.is_some() || Kind::named(&said.name).is_ok() => {
                let by_name = || Kind::named(&said.name).ok();
                (said.kind.clone().or_else(by_name), "as you say".to_owned())
            }
            (_, Some(found)) => (Some(found.kind), found.by),
            // Where another upstream has the API, this one has pages.
            (_, None) if site_has_api && !shown.has_api() => {
                (Kind::named("web").ok(), "the API is elsewhere".to_owned())
            }
            _ => (None, "nothing shows which program".to_owned()),
        };
        let kind = kind.or_else(|| Kind::named(Kind::UNKNOWN).ok());
        let kind = kind.expect("the kind of what is not known is embedded");
        let name = match said {
            Some(said) => said.name.clone(),
            None => name_of(destination, &kind),
        };
        let addresses: Vec<&str> = servers.iter().map(|one| one.address.as_str()).collect();
        let place = self.line(destination.place);
        let conclusion = format!(
            "{} ({}, {by}) at {place}",
            addresses.join(" and "),
            kind.name
        );
        FoundUpstream {
            name,
            published: PublishedUpstream {
                servers,
                tls: destination.scheme == Scheme::Https,
                host: None,
                own_fields: Vec::new(),
                answered_methods: Vec::new(),
                client_address: kind.client_address.clone(),
                kind,
                endpoints: BTreeMap::new(),
                pool: self.pool(destination),
                websocket: None,
                stubs: Vec::new(),
            },
            written: vec![destination.upstream.clone()],
            locations: Vec::new(),
            conclusion,
        }
    }

    fn pool(&self, destination: &Destination) -> Option<Promise<u32>> {
        let group = &self.site().upstreams[destination.group?];
        let setting = group.setting("keepalive")?;
        let value = setting.argument(0)?.parse().ok()?;
        let source = Source::File(self.line(setting.place));
        Some(Promise { value, source })
    }
}

/// What a server shows of each upstream, by how a `proxy_pass` writes it.
pub(super) fn shown(site: &Site, server: usize) -> BTreeMap<String, Shown> {
    let mut all: BTreeMap<String, Shown> = BTreeMap::new();
    for (location, destination) in ways(site, server) {
        let shown = all.entry(destination.upstream.clone()).or_default();
        let location = site.servers[server].table.location(location);
        let path = String::from_utf8_lossy(&location.notation.text).into_owned();
        shown.paths.push(path);
        if let Some(uri) = &destination.uri {
            shown.paths.push(String::from_utf8_lossy(uri).into_owned());
        }
        shown.names.push(destination.upstream.clone());
        for address in &destination.addresses {
            match address {
                Address::Ip(address) => shown.ports.push(address.port()),
                Address::Name { host, port } => {
                    shown.names.push(host.clone());
                    shown.ports.push(*port);
                }
                Address::Unix { path } => shown.names.push(path.clone()),
            }
        }
    }
    all
}

/// The servers of a destination as the private copy has them: complete, with a port.
fn servers(site: &Site, destination: &Destination) -> Vec<PublishedServer> {
    let published = |address: String, backup: bool| PublishedServer { address, backup };
    let Some(group) = destination.group else {
        let address = destination.addresses.first();
        let address = address.map(|address| complete(&destination.upstream, address));
        return address
            .map(|one| published(one, false))
            .into_iter()
            .collect();
    };
    let in_use = |server: &&UpstreamServer| server.role != Role::Down;
    let all = site.upstreams[group].servers.iter().filter(in_use);
    let mut servers: Vec<PublishedServer> = all
        .filter_map(|server| {
            let address = complete(&server.written, server.address.as_ref()?);
            Some(published(address, server.role == Role::Backup))
        })
        .collect();
    servers.sort_by_key(|server| server.backup);
    servers.dedup();
    servers
}

/// An address with its port: as it is written where that has one, so that the copy's text can be searched for it.
pub(super) fn complete(written: &str, address: &Address) -> String {
    match has_port(written) {
        true => written.to_owned(),
        false => address.to_string(),
    }
}

/// The group's name, or the host's; an address without a name is called by its kind.
fn name_of(destination: &Destination, kind: &Kind) -> String {
    let host = match (destination.group, destination.addresses.first()) {
        (Some(_), _) => destination.upstream.as_str(),
        (None, Some(Address::Name { host, .. })) if host != "localhost" => host,
        _ => kind.name.as_str(),
    };
    let plain = |letter: char| match letter.is_ascii_alphanumeric() || "-_".contains(letter) {
        true => letter,
        false => '-',
    };
    host.chars().map(plain).collect()
}

fn distinct(name: &str, found: &[FoundUpstream]) -> String {
    let is_taken = |name: &str| found.iter().any(|one| one.name == name);
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    match is_taken(name) {
        false => name.to_owned(),
        true => numbered
            .find(|name| !is_taken(name))
            .expect("there are more numbers than upstreams"),
    }
}
