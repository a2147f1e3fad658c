//! Where a deployment's candidate listens, by what its Caddyfile says.

use std::collections::BTreeMap;

use super::CaddyConfiguration;
use super::place::Place;
use super::server::Server;
use crate::deployment::{Deployment, Front, ProxyProtocol, PublishedListener};
use crate::document::DocumentError;
use crate::error::HarnessError;
use crate::protocol::Protocol;

impl CaddyConfiguration {
    /// Puts the deployment behind this front, with the listeners of the servers that lead to its upstreams. Without one it
    /// stays where it is, and only listeners that the file does not have are replaced by those.
    ///
    /// # Errors
    /// [`HarnessError::Document`] where no such server has a listener that could stand there.
    pub fn stand_behind(
        &self,
        front: Option<Front>,
        deployment: &mut Deployment,
    ) -> Result<(), HarnessError> {
        match front {
            None => self.follow(deployment),
            Some(Front::Tunnel) => {
                deployment.put_behind(Front::Tunnel, false);
                self.follow(deployment);
            }
            Some(front) => {
                let servers = self.leading(deployment);
                let ends_tls =
                    front == Front::None && servers.iter().any(|server| server.ends_tls());
                let listeners = of_protocols(&servers, ends_tls);
                if listeners.is_empty() && !servers.is_empty() {
                    return Err(self.has_tls_only(front).into());
                }
                if !listeners.is_empty() {
                    deployment.listeners = listeners;
                }
                deployment.put_behind(front, ends_tls);
            }
        }
        Ok(())
    }

    /// Moves listeners that the file does not have to those that it has.
    fn follow(&self, deployment: &mut Deployment) {
        let servers = self.leading(deployment);
        for protocol in Protocol::DIRECT {
            let Some(listener) = deployment.listeners.get(&protocol) else {
                continue;
            };
            let place = Place::listener(&listener.address);
            let mut all = Server::all(&self.adapted);
            let own = of_protocols(&servers, listener.tls).remove(&protocol);
            let address = match own {
                Some(own) if !all.any(|server| server.opens(&place)) => Some(own.address),
                _ => place.spelled(),
            };
            if let Some(address) = address {
                deployment.move_listener(protocol, address);
            }
        }
    }

    fn has_tls_only(&self, front: Front) -> DocumentError {
        let message = match front {
            Front::Tls => "every server that leads to the deployment's upstreams ends TLS itself",
            _ => "no server that leads to the deployment's upstreams can be asked over TCP",
        };
        let error = self.file.document().lacks(message);
        match front {
            Front::Tls => error.help("`--front none` asks it over TLS"),
            _ => error,
        }
    }
}

/// The first listener of each protocol; behind TLS one serves both, and ALPN chooses.
fn of_protocols(servers: &[Server<'_>], ends_tls: bool) -> BTreeMap<Protocol, PublishedListener> {
    let http_two = if ends_tls { "h2" } else { "h2c" };
    let mut found = BTreeMap::new();
    for server in servers
        .iter()
        .filter(|server| server.ends_tls() == ends_tls)
    {
        let mut open = server.listens().map(Place::listener);
        let address = open.find(|place| matches!(place, Place::Tcp { .. }));
        let Some(address) = address.and_then(|place| place.spelled()) else {
            continue;
        };
        let listener = PublishedListener {
            address,
            proxy_protocol: match server.reads_header() {
                true => ProxyProtocol::V1,
                false => ProxyProtocol::None,
            },
            tls: ends_tls,
        };
        for (protocol, name) in [(Protocol::H1, "h1"), (Protocol::H2, http_two)] {
            if server.speaks(name) {
                found.entry(protocol).or_insert_with(|| listener.clone());
            }
        }
    }
    found
}
