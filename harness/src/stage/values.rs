//! What templates of configurations and arguments know.

use std::net::SocketAddr;
use std::path::Path;

use minijinja::{Value, context};
use serde::Serialize;

use super::launching::Launching;
use super::surroundings::Surroundings;
use super::{Clients, Doors};
use crate::candidate::{CERTIFICATE, Door};
use crate::deployment::{Deployment, ProxyProtocol, PublishedUpstream, RequestBody, Route};

#[derive(Serialize)]
struct Listener {
    protocol: String,
    address: String,
    host: String,
    port: u16,
    proxy_protocol: ProxyProtocol,
    tls: bool,
}

/// An address with everything that is spoken there: behind TLS, ALPN tells protocols apart.
#[derive(Serialize)]
struct Address {
    address: String,
    host: String,
    port: u16,
    protocols: Vec<String>,
    proxy_protocol: ProxyProtocol,
    tls: bool,
}

#[derive(Serialize)]
struct Upstream {
    name: String,
    address: String,
    host: String,
    port: u16,
    pool: u32,
}

#[derive(Serialize)]
struct Location {
    location: String,
    modifier: &'static str,
    path: String,
    upstream: String,
    replace: Option<String>,
    request_body: RequestBody,
}

/// The values of templates: `work`, `user`, `certificate`, `hosts`, `host_aliases`, `connections`, `listeners`, `addresses`, `upstreams`, `routes`, `limits`, `identity`, `defects`.
pub(super) fn values(work: &Path, launching: &Launching, doors: &Doors) -> Value {
    let Launching {
        candidate,
        deployment,
        surroundings,
        clients,
        ..
    } = launching;
    let aliases: &[&str] = match clients {
        Some(_) => &Clients::HOSTS,
        None => &[],
    };
    context! {
        work => work.display().to_string(),
        user => user(),
        certificate => work.join(CERTIFICATE).display().to_string(),
        hosts => &deployment.hosts,
        host_aliases => aliases,
        connections => launching.connections,
        listeners => listeners(doors),
        addresses => addresses(doors),
        upstreams => upstreams(deployment, surroundings),
        routes => routes(deployment),
        limits => context! {
            request_body => deployment.limits.request_body,
            read_timeout_ms => milliseconds(deployment.limits.read_timeout),
            send_timeout_ms => milliseconds(deployment.limits.send_timeout),
        },
        identity => &deployment.identity,
        defects => &candidate.defects,
    }
}

/// Published addresses and the stage's own, and the host that clients ask for, for native files.
pub(super) fn replacements(launching: &Launching, doors: &Doors) -> Vec<(String, String)> {
    let Launching {
        deployment,
        surroundings,
        published_host,
        ..
    } = launching;
    let host = published_host.clone();
    let host = host.map(|published| (published, deployment.hosts.api.clone()));
    let listeners = doors.iter().filter_map(|door| {
        let published = deployment.listeners.get(&door.protocol)?;
        Some((published.address.clone(), door.address.to_string()))
    });
    let upstreams = deployment.upstreams.iter().filter_map(|(name, published)| {
        let address = surroundings.address(name)?;
        Some((published.address.clone(), address.to_string()))
    });
    let room = launching.connections.map(|connections| {
        // Two for each client, and NGINX closes idle ones once less than a sixteenth of them is free.
        let connections = connections * 9 / 4;
        let written = "worker_connections 1024".to_owned();
        (written, format!("worker_connections {connections}"))
    });
    listeners.chain(upstreams).chain(host).chain(room).collect()
}

fn listeners(doors: &Doors) -> Vec<Listener> {
    let listener = |door: &Door| Listener {
        protocol: door.protocol.to_string(),
        address: door.address.to_string(),
        host: door.address.ip().to_string(),
        port: door.address.port(),
        proxy_protocol: door.proxy_protocol,
        tls: door.trust.is_some(),
    };
    doors.iter().map(listener).collect()
}

fn addresses(doors: &Doors) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    for listener in listeners(doors) {
        let same = |one: &&mut Address| one.address == listener.address;
        match addresses.iter_mut().find(same) {
            Some(address) => address.protocols.push(listener.protocol),
            None => addresses.push(Address {
                address: listener.address,
                host: listener.host,
                port: listener.port,
                protocols: vec![listener.protocol],
                proxy_protocol: listener.proxy_protocol,
                tls: listener.tls,
            }),
        }
    }
    addresses
}

fn upstreams(deployment: &Deployment, surroundings: &Surroundings) -> Vec<Upstream> {
    let upstream = |(name, published): (&String, &PublishedUpstream)| {
        let address: SocketAddr = surroundings.address(name)?;
        Some(Upstream {
            name: name.clone(),
            address: address.to_string(),
            host: address.ip().to_string(),
            port: address.port(),
            pool: published.pool,
        })
    };
    deployment.upstreams.iter().filter_map(upstream).collect()
}

fn routes(deployment: &Deployment) -> Vec<Location> {
    let location = |route: &Route| Location {
        location: route.location.to_string(),
        modifier: route.location.kind.modifier(),
        path: route.location.path.clone(),
        upstream: route.upstream.clone(),
        replace: route.replace.clone(),
        request_body: route.request_body,
    };
    deployment.routes.iter().map(location).collect()
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A master that runs as root gives its workers to somebody else, who may not enter the private directory.
fn user() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("root")
}
