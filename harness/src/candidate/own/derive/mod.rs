//! The site that a configuration serves, read from the configuration alone: a deployment, and what was concluded from where.

mod gateways;
mod identity;
mod listeners;
mod promises;
mod reading;
mod recognise;
mod routes;
mod upstreams;

use std::sync::Arc;

use proxyproof_oracle::location::NginxVersion;
use proxyproof_oracle::routes::Config;
use proxyproof_oracle::unread::{Missing, lacking};

pub use self::gateways::Gateway;
use self::reading::Reading;
use super::OwnConfiguration;
use crate::deployment::{Deployment, Front, Hosts, Limits};
use crate::document::DocumentError;
use crate::error::HarnessError;
use crate::kind::Kind;
use crate::protocol::Protocol;

/// What people say besides their file, where it is not enough or not what they mean.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The host to ask for; it chooses among the sites of a file.
    pub host: Option<String>,
    /// The site to ask, where all that lead to an AI gateway are asked one after the other.
    pub gateway: Option<Gateway>,
    /// What stands in front of the proxy.
    pub front: Option<Front>,
    /// Which of the listeners to ask, as written.
    pub listeners: Vec<(Protocol, String)>,
    /// What upstreams are.
    pub upstreams: Vec<SaidUpstream>,
    /// The release that runs, where that is known.
    pub version: Option<NginxVersion>,
}

/// What people say of an upstream.
#[derive(Clone, Debug)]
pub struct SaidUpstream {
    /// What to call it.
    pub name: String,
    /// One of its addresses, as written in the file.
    pub address: String,
    /// What program it is; without it the name says it, where a kind is called so.
    pub kind: Option<Arc<Kind>>,
}

impl OwnConfiguration {
    /// Reads the site out of the configuration.
    ///
    /// # Errors
    /// [`HarnessError::Document`] at the place that NGINX would refuse, and where no server passes requests on.
    pub fn derive(&self, said: &Said) -> Result<Deployment, HarnessError> {
        let config = self.config()?;
        self.runs_on(&config, said.version)?;
        let reading = Reading::of(self, &config, said)?;
        let listening = reading.listening()?;
        let found = reading.upstreams();
        let mut deployment = Deployment {
            name: said.name(&reading.host),
            about: format!("read from {}", self.main.origin),
            front: listening.front,
            hosts: Hosts {
                api: reading.host.clone(),
                tunnel: None,
                others_refused: Some(listening.others_refused.clone()),
            },
            fallbacks: listening.fallbacks(&reading.host),
            identity: reading.identity(&listening),
            listeners: listening.listeners.clone(),
            routes: reading.routes(&found),
            removed_routes: Vec::new(),
            upstreams: found
                .iter()
                .map(|one| (one.name.clone(), one.published.clone()))
                .collect(),
            limits: Limits::default(),
            conclusions: Vec::new(),
        };
        reading.add_endpoints(&mut deployment, &found);
        let mut conclusions = vec![listening.conclusion(&reading)];
        conclusions.extend(found.iter().map(|one| one.conclusion.clone()));
        conclusions.extend(reading.promise(&mut deployment));
        conclusions.extend(self.left_out_of_the_copy());
        conclusions.extend(reading.not_asked());
        deployment.conclusions = conclusions;
        Ok(deployment)
    }

    /// Nothing of the file is missing in this release; modules are its builder's affair.
    fn runs_on(&self, config: &Config, version: Option<NginxVersion>) -> Result<(), DocumentError> {
        let Some(version) = version else {
            return Ok(());
        };
        let lacking = lacking(&config.tree, version).into_iter();
        let mut lacking = lacking.filter_map(|lacking| {
            let needs = match lacking.missing {
                Missing::Release(since) => format!("needs NGINX {since}"),
                Missing::EarlierRelease(before) => format!("is gone since NGINX {before}"),
                Missing::Module(_) => return None,
            };
            // Nobody asks over QUIC: the copy does without.
            (!lacking.what.contains("quic")).then_some((lacking, needs))
        });
        let Some((lacking, needs)) = lacking.next() else {
            return Ok(());
        };
        let message = format!("`{}` {needs}, and this one is {version}", lacking.what);
        let error = self.at_place(&config.tree, lacking.place, message);
        Err(error
            .help("another release runs with `--binary PATH` or `--container nginx:1.29-alpine`"))
    }
}
