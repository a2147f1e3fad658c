//! Which sites of a file lead to an AI gateway.

use std::collections::BTreeSet;

use proxyproof_oracle::location::Site;
use proxyproof_oracle::setting::Scope;

use super::reading::{is_gateway, rank, serving, ways};
use super::{OwnConfiguration, Said};
use crate::candidate::own::address;
use crate::error::HarnessError;

/// A site of a file that leads to an AI gateway by the signs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The number of its server in the file.
    pub(super) server: usize,
    /// The host that it is asked for; `None` where its server has no name.
    pub host: Option<String>,
    /// The first of its listeners, as written; `None` where its server has no `listen`.
    pub listener: Option<String>,
}

impl OwnConfiguration {
    /// The sites that lead to an AI gateway, in the order of the file: each host once, with TLS where it has it.
    ///
    /// # Errors
    /// [`HarnessError::Document`] at the place that NGINX would refuse.
    pub fn gateways(&self) -> Result<Vec<Gateway>, HarnessError> {
        let config = self.config()?;
        let site = &config.site;
        let mut gateways: Vec<usize> = serving(site)
            .into_iter()
            .filter(|server| is_gateway(site, *server))
            .collect();
        gateways.sort_by_key(|server| rank(site, *server));
        let mut seen = BTreeSet::new();
        gateways.retain(|server| seen.insert(asked_as(site, *server)));
        gateways.sort_unstable();
        let gateway = |server| Gateway {
            server,
            host: site.servers[server].host(),
            listener: listeners(site, server).next(),
        };
        Ok(gateways.into_iter().map(gateway).collect())
    }
}

/// What two servers of one site have in common: the host, or else where they lead.
fn asked_as(site: &Site, server: usize) -> (Option<String>, BTreeSet<String>) {
    match site.servers[server].host() {
        Some(host) => (Some(host), BTreeSet::new()),
        None => {
            let ways = ways(site, server).into_iter();
            (None, ways.map(|(_, way)| way.upstream).collect())
        }
    }
}

/// Where a server listens, as written.
fn listeners(site: &Site, server: usize) -> impl Iterator<Item = String> {
    let settings = site.settings_in(Scope::server(server)).iter();
    let listens = settings.filter(|setting| setting.name == "listen");
    listens.filter_map(|setting| setting.argument(0))
}

impl Said {
    /// What to call the site that this host is asked for: sites without a name go by their listeners.
    pub(super) fn name(&self, host: &str) -> String {
        match &self.gateway {
            Some(Gateway {
                host: None,
                listener: Some(listener),
                ..
            }) => format!("listener {listener}"),
            _ => host.to_owned(),
        }
    }

    /// Whether a server listens where people say; any does where they say nothing.
    pub(super) fn is_at(&self, site: &Site, server: usize) -> bool {
        let said = |written: String| {
            let mut said = self.listeners.iter();
            said.any(|(_, said)| address(said) == address(&written))
        };
        self.listeners.is_empty() || listeners(site, server).any(said)
    }
}
