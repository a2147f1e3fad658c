//! The front of a stage: the published table on the stage's own addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proxyproof_mocks::certificate::{Authority, CertificateError, Leaf};
use proxyproof_mocks::front::{
    AcceptProxy, Fallback, FallbackTable, Front, PlainListener, RunningFront,
};
use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;

use super::launching::Launching;
use super::surroundings::{Surroundings, starting};
use super::{Clients, Doors};
use crate::candidate::Door;
use crate::deployment::{self, Deployment, Hosts};
use crate::error::HarnessError;
use crate::probe::UNNAMED_ADDRESS;
use crate::protocol::Protocol;

/// Starts the front; it takes a PROXY header from every probe, so that a probe can choose its client address.
pub(super) async fn start(
    launching: &Launching,
    doors: &Doors,
) -> Result<Option<RunningFront>, HarnessError> {
    let Launching {
        deployment,
        surroundings,
        clients,
        ..
    } = launching;
    let table = match deployment.front {
        deployment::Front::None => return Ok(None),
        deployment::Front::Tls => by_alpn(doors),
        deployment::Front::Tunnel => published(deployment, doors, surroundings),
    };
    let authority = &surroundings.authority;
    let front = match clients {
        Some(clients) => for_clients(clients, table, authority, &deployment.hosts)?,
        None => Front::new(table, leaf(authority, deployment)?).accept_proxy(AcceptProxy::Required),
    };
    let front = match deployment.front {
        deployment::Front::Tls => front.dial_from(UNNAMED_ADDRESS),
        _ => front,
    };
    let started = front.start().await.map_err(starting("the front"))?;
    Ok(Some(started))
}

/// Everything goes to the candidate; which listener, ALPN says.
fn by_alpn(doors: &Doors) -> FallbackTable {
    let entry = |door: &Door| Fallback {
        name: String::new(),
        alpn: match door.protocol {
            Protocol::H2 => door.protocol.alpn().to_owned(),
            _ => String::new(),
        },
        path: String::new(),
        dest: door.address.into(),
        xver: None,
    };
    FallbackTable::new(doors.iter().map(entry).collect())
}

/// The tunnel server's own table, with the stage's addresses.
fn published(deployment: &Deployment, doors: &Doors, surroundings: &Surroundings) -> FallbackTable {
    let entries = deployment.fallbacks.iter().filter_map(|published| {
        let (address, xver) = destination(published, deployment, doors, surroundings)?;
        Some(Fallback {
            name: published.name.clone(),
            alpn: published.alpn.clone(),
            path: published.path.clone(),
            dest: address.into(),
            xver,
        })
    });
    FallbackTable::new(entries.collect())
}

/// A front that clients reach who override no names and trust no private authority.
fn for_clients(
    clients: &Clients,
    table: FallbackTable,
    authority: &Authority,
    hosts: &Hosts,
) -> Result<Front, HarnessError> {
    let mut names: Vec<&str> = vec!["localhost", "127.0.0.1", "::1"];
    names.extend(hosts.tunnel.as_deref());
    if !names.contains(&hosts.api.as_str()) {
        names.insert(0, &hosts.api);
    }
    let leaf = authority.leaf(&names).map_err(uncertified(&hosts.api))?;
    let plain = PlainListener {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        host: hosts.api.clone(),
    };
    Ok(Front::new(table, leaf)
        .listen((Ipv4Addr::LOCALHOST, clients.port).into())
        .plain(plain)
        .both_loopbacks()
        .alias("localhost", &hosts.api)
        .alias("", &hosts.api)
        .loopback_clients_as(clients.address))
}

/// Where an entry leads on this stage: to the candidate, with a header that it reads, or to a site.
fn destination(
    published: &deployment::Fallback,
    deployment: &Deployment,
    doors: &Doors,
    surroundings: &Surroundings,
) -> Option<(SocketAddr, Option<ProxyVersion>)> {
    let owner = deployment
        .listeners
        .iter()
        .find(|(_, listener)| listener.address == published.dest);
    if let Some((protocol, _)) = owner {
        let door = doors.iter().find(|door| door.protocol == *protocol)?;
        return Some((door.address, door.proxy_protocol.version()));
    }
    let version = match published.xver {
        1 => Some(ProxyVersion::V1),
        2 => Some(ProxyVersion::V2),
        _ => None,
    };
    let site = surroundings.sites.get(&published.dest)?;
    Some((site.address(), version))
}

/// One wildcard for both hosts where they share a domain: the tunnel server takes one certificate only.
pub(super) fn leaf(authority: &Authority, deployment: &Deployment) -> Result<Leaf, HarnessError> {
    let hosts = &deployment.hosts;
    if hosts.api.parse::<IpAddr>().is_ok() {
        let names: Vec<&str> = std::iter::once(hosts.api.as_str())
            .chain(hosts.tunnel.as_deref())
            .collect();
        return authority.leaf(&names).map_err(uncertified(&hosts.api));
    }
    let domain = |host: &str| host.split_once('.').map(|(_, domain)| domain.to_owned());
    let api = domain(&hosts.api).filter(|domain| domain.contains('.'));
    let made = match (&hosts.tunnel, api) {
        (Some(tunnel), Some(shared)) if domain(tunnel).as_ref() == Some(&shared) => {
            authority.wildcard(&shared)
        }
        (None, Some(shared)) => authority.wildcard(&shared),
        (Some(tunnel), _) => authority.leaf(&[&hosts.api, tunnel]),
        (None, None) => authority.leaf(&[&hosts.api]),
    };
    made.map_err(uncertified(&hosts.api))
}

fn uncertified(host: &str) -> impl FnOnce(CertificateError) -> HarnessError {
    let action = format!("make a certificate for `{host}`");
    |error| HarnessError::System {
        action,
        cause: io::Error::other(error),
    }
}
