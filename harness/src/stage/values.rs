//! What templates of configurations and arguments know.

use std::path::Path;
use std::time::Duration;

use minijinja::{Value, context};
use serde::Serialize;

use super::launching::Launching;
use super::surroundings::Surroundings;
use super::{Clients, Doors};
use crate::candidate::{CERTIFICATE, Door};
use crate::deployment::{
    Deployment, Destination, ProxyProtocol, PublishedUpstream, RequestBody, Route,
};
use crate::promise::Promise;

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
    #[serde(flatten)]
    first: Server,
    /// All of them, the first one too.
    servers: Vec<Server>,
    tls: bool,
    /// The name for SNI and the certificate, with TLS.
    server_name: Option<String>,
    /// The Host that it must see, where that is not the public one.
    host_field: Option<String>,
    pool: u32,
}

#[derive(Clone, Serialize)]
struct Server {
    address: String,
    host: String,
    port: u16,
    backup: bool,
}

#[derive(Serialize)]
struct Location {
    /// From 1, in the order of the deployment.
    number: usize,
    location: String,
    modifier: &'static str,
    path: String,
    upstream: Option<String>,
    /// The proxy's own answer, where there is no upstream.
    status: Option<u16>,
    redirect: Option<String>,
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
            request_body => deployment.request_body().map_or(LARGE, |promise| promise.value),
            read_timeout_ms => milliseconds(deployment.read_timeout()),
            send_timeout_ms => milliseconds(deployment.send_timeout()),
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
    let upstreams = deployment.upstreams.iter().flat_map(|(name, published)| {
        let own = surroundings.addresses(name).into_iter();
        let pairs = published.addresses().zip(own);
        pairs.map(|(published, own)| (published.to_owned(), own.to_string()))
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
        let own = surroundings.addresses(name).into_iter();
        let servers = published.servers.iter().zip(own);
        let servers = servers.map(|(server, address)| Server {
            address: address.to_string(),
            host: address.ip().to_string(),
            port: address.port(),
            backup: server.backup,
        });
        let servers: Vec<Server> = servers.collect();
        Some(Upstream {
            name: name.clone(),
            first: servers.first()?.clone(),
            servers,
            tls: published.tls,
            server_name: published.server_name().map(str::to_owned),
            host_field: published.host.clone(),
            pool: published.pool().value,
        })
    };
    deployment.upstreams.iter().filter_map(upstream).collect()
}

fn routes(deployment: &Deployment) -> Vec<Location> {
    let answer = |route: &Route| match &route.to {
        // A proxy of the gallery has no variable that chooses.
        Destination::Any => (Some(404), None),
        Destination::Upstream(_) => (None, None),
        Destination::Proxy(answer) => (Some(answer.status.unwrap_or(404)), answer.location.clone()),
    };
    let location = |(index, route): (usize, &Route)| Location {
        number: index + 1,
        status: answer(route).0,
        redirect: answer(route).1,
        location: route.location.to_string(),
        modifier: route.location.kind.modifier(),
        path: route.location.path.clone(),
        upstream: route.upstream().map(str::to_owned),
        replace: route.replace.clone(),
        request_body: route.request_body,
    };
    deployment.routes.iter().enumerate().map(location).collect()
}

fn milliseconds(time: Option<Promise<Duration>>) -> u64 {
    let time = time.map_or(LONG, |promise| promise.value);
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What a configuration that is made for a deployment lets through where nobody says how much, in bytes.
const LARGE: u64 = 1 << 30;
/// How long it waits where nobody says how long.
const LONG: Duration = Duration::from_secs(3600);

/// A master that runs as root gives its workers to somebody else, who may not enter the private directory.
fn user() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("root")
}
