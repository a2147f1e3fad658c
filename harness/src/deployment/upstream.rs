//! A program behind the candidate, as published.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

use super::Stub;
use crate::kind::{ClientAddress, EndpointRequest, Kind, Purpose};
use crate::promise::{Promise, Source};

/// A program behind the candidate as published: one server, or several that are taken for the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedUpstream {
    /// Its servers, at least one; those that take requests at any time come before the backups.
    pub servers: Vec<PublishedServer>,
    /// Whether connections to it begin with TLS.
    pub tls: bool,
    /// The Host that it must see, where that is not the public one.
    pub host: Option<String>,
    /// Fields that the proxy sends it with values of its own, as a key for a provider: what clients have in them goes nowhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub own_fields: Vec<String>,
    /// Methods that the proxy answers itself, as it may preflights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered_methods: Vec<String>,
    /// What program it is.
    #[serde(serialize_with = "name_of_kind")]
    pub kind: Arc<Kind>,
    /// What it serves besides, or in place of, what its kind says; by purpose.
    pub endpoints: BTreeMap<Purpose, Vec<EndpointRequest>>,
    /// How many idle connections the candidate may keep to it, none for a connection for each request; where nobody says
    /// it, some are good practice.
    pub pool: Option<Promise<u32>>,
    /// Whom it takes a client for.
    pub client_address: ClientAddress,
    /// Who says that it is asked for WebSockets, besides its kind.
    pub websocket: Option<Source>,
    /// What it answers in place of what its kind would.
    pub stubs: Vec<Stub>,
}

/// One server of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublishedServer {
    /// `host:port`, or `unix:/path`; the stage replaces it by the TCP address of a mock.
    pub address: String,
    /// Gets requests only while none of the others can.
    pub backup: bool,
}

impl PublishedServer {
    /// Whether it is a Unix socket.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        self.address.starts_with(UNIX)
    }
}

/// What the address of a Unix socket begins with.
pub(super) const UNIX: &str = "unix:";

impl PublishedUpstream {
    /// The addresses of its servers.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().map(|server| server.address.as_str())
    }

    /// Whether an address is that of one of its servers.
    #[must_use]
    pub fn is_at(&self, address: &str) -> bool {
        self.addresses().any(|own| own == address)
    }

    /// The same program at another address alone.
    pub fn move_to(&mut self, address: &str) {
        self.servers = vec![PublishedServer {
            address: address.to_owned(),
            backup: false,
        }];
    }

    /// A name for a certificate and for SNI: that of its first server, where it has one.
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        let (host, _) = self.servers.first()?.address.rsplit_once(':')?;
        let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
        (!is_address && !self.servers[0].is_unix()).then_some(host)
    }
}

fn name_of_kind<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&kind.name)
}
