//! The front of a stage: the published table on the stage's own addresses.

use std::io;
use std::net::SocketAddr;

use proxyproof_mocks::certificate::{Authority, Leaf};
use proxyproof_mocks::front::{AcceptProxy, Fallback, FallbackTable, Front, RunningFront};
use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;

use super::Doors;
use super::surroundings::{Surroundings, starting};
use crate::deployment::{self, Deployment, ProxyProtocol};
use crate::error::HarnessError;

/// Starts the front; it takes a PROXY header from every probe, so that a probe can choose its client address.
pub(super) async fn start(
    deployment: &Deployment,
    doors: &Doors,
    surroundings: &Surroundings,
) -> Result<RunningFront, HarnessError> {
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
    let leaf = leaf(&surroundings.authority, deployment)?;
    let front = Front::new(FallbackTable::new(entries.collect()), leaf);
    let front = front.accept_proxy(AcceptProxy::Required).start().await;
    front.map_err(starting("the front"))
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
        let version = match door.proxy_protocol {
            ProxyProtocol::None => None,
            ProxyProtocol::V1 => Some(ProxyVersion::V1),
            ProxyProtocol::V2 => Some(ProxyVersion::V2),
        };
        return Some((door.address, version));
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
fn leaf(authority: &Authority, deployment: &Deployment) -> Result<Leaf, HarnessError> {
    let hosts = &deployment.hosts;
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
    made.map_err(|error| HarnessError::System {
        action: format!("make a certificate for `{}`", hosts.api),
        cause: io::Error::other(error),
    })
}
