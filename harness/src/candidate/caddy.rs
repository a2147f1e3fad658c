//! A Caddyfile in the place of a candidate's configuration.
//!
//! Caddy itself turns it into its native language, JSON ([`adapt`]). What cannot be kept on the stage is refused at its line
//! ([`refusal`]); the deployment follows what the file says about hosts and listeners ([`way_in`]); what runs is JSON that
//! names the stage alone ([`copy`]). Findings still point into the Caddyfile.

mod adapt;
mod copy;
mod listeners;
mod place;
mod places;
mod proxies;
mod refusal;
mod server;
mod way_in;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

pub use self::copy::CaddyCopy;
use self::place::Place;
use self::places::Places;
use self::server::Server;
use super::user_file::UserFile;
use super::{Candidate, Feature, PrivateCopy};
use crate::deployment::{Deployment, PublishedUpstream};
use crate::document::DocumentError;
use crate::error::HarnessError;
use crate::stage::loopback_alone;

/// A user's Caddyfile, read and not changed.
#[derive(Clone, Debug)]
pub struct CaddyConfiguration {
    file: UserFile,
    adapted: Value,
}

impl CaddyConfiguration {
    /// Reads a file and lets the candidate's program say what it means.
    ///
    /// # Errors
    /// [`HarnessError::Unreadable`], [`HarnessError::Document`] where the program says that it is wrong, and
    /// [`HarnessError::NotInstalled`] where there is no such program.
    pub fn read(path: &Path, candidate: &Candidate) -> Result<Self, HarnessError> {
        let file = UserFile::read(path)?;
        let adapted = adapt::adapted(&candidate.binary()?, path, &file)?;
        Ok(Self { file, adapted })
    }

    /// A listener's address in the one spelling that the deployment has then: `:443`, `443` and `[::]:443` are `0.0.0.0:443`.
    #[must_use]
    pub fn address(written: &str) -> String {
        let written = super::address(written);
        Place::listener(&written).spelled().unwrap_or(written)
    }

    /// The host of the first site that leads to the deployment's upstreams; `None` where it has no plain name.
    #[must_use]
    pub fn host(&self, deployment: &Deployment) -> Option<String> {
        let upstreams = Places::upstreams(deployment);
        let listeners = Places::listeners(deployment);
        let servers = self.leading(deployment).into_iter();
        let mut asked = servers.filter(|server| server.is_at(&listeners));
        asked.find_map(|server| server.host(&upstreams).map(str::to_ascii_lowercase))
    }

    /// The candidate with this configuration in the place of its own.
    ///
    /// # Errors
    /// [`HarnessError::Document`] where the copy would reach beyond the stage, or the stage not reach it.
    pub fn of(
        self,
        mut candidate: Candidate,
        deployment: &Deployment,
    ) -> Result<Candidate, HarnessError> {
        if !loopback_alone() {
            refusal::check(&self.adapted, &self.file)?;
        }
        self.leads_somewhere(deployment)?;
        let upstreams = Places::upstreams(deployment);
        refusal::check_destinations(&self.leading(deployment), &upstreams, &self.file)?;
        self.listens(&candidate, deployment)?;
        candidate.launch.arguments = natively(&candidate, candidate.launch.arguments.clone());
        let validate = candidate.launch.validate.take();
        candidate.launch.validate = validate.map(|arguments| natively(&candidate, arguments));
        // Whether it does, its file says: the copy has the stage's certificate.
        candidate.features.insert(Feature::Tls);
        let copy = CaddyCopy {
            text: self.file.text.clone(),
            adapted: self.adapted,
            listeners: Places::listeners(deployment),
            upstreams,
        };
        let mut candidate = candidate.with_user_file(self.file, PrivateCopy::Caddy(copy));
        for file in &mut candidate.launch.files {
            NATIVE.clone_into(&mut Arc::make_mut(file).name);
        }
        Ok(candidate)
    }

    /// The servers that pass requests on to the deployment's programs.
    fn leading(&self, deployment: &Deployment) -> Vec<Server<'_>> {
        let upstreams = Places::upstreams(deployment);
        let servers = Server::all(&self.adapted);
        servers
            .filter(|server| server.leads_to(&upstreams))
            .collect()
    }

    fn leads_somewhere(&self, deployment: &Deployment) -> Result<(), DocumentError> {
        if !self.leading(deployment).is_empty() {
            return Ok(());
        }
        let wanted: Vec<&str> = deployment
            .upstreams
            .values()
            .flat_map(PublishedUpstream::addresses)
            .collect();
        let message = format!("no `reverse_proxy` leads to {}", wanted.join(" or "));
        let error = self.file.document().lacks(message);
        Err(match server::dials(&self.adapted).first() {
            Some(dial) => error.help(format!(
                "`--upstream cpa={dial}` takes what it leads to for one"
            )),
            None => error,
        })
    }

    /// A listener that nobody opens, or opens otherwise, would be waited for in vain.
    fn listens(&self, candidate: &Candidate, deployment: &Deployment) -> Result<(), DocumentError> {
        for (protocol, listener) in &deployment.listeners {
            if !candidate.features.contains(&protocol.spoken()) {
                continue;
            }
            let place = Place::listener(&listener.address);
            let mut servers = Server::all(&self.adapted);
            let wrong = match servers.find(|server| server.opens(&place)) {
                Some(server) if server.ends_tls() == listener.tls => continue,
                Some(server) if server.ends_tls() => "ends TLS itself",
                Some(_) => "does not end TLS",
                None => "is not in it",
            };
            let open: Vec<&str> = Server::all(&self.adapted)
                .flat_map(Server::listens)
                .collect();
            let message = format!(
                "`{}`, the listener for {protocol}, {wrong}",
                listener.address
            );
            return Err(self.file.document().lacks(message).help(format!(
                "`--front none` and `--front tls` ask the listeners that it has: {}; `--listen {protocol}=ADDRESS` says which of them is meant",
                open.join(", ")
            )));
        }
        Ok(())
    }
}

/// Arguments that start it with the native copy, which needs no adapter.
fn natively(candidate: &Candidate, arguments: Vec<String>) -> Vec<String> {
    let main = candidate.launch.files.first();
    let main = main.map_or("Caddyfile", |file| &*file.name);
    let mut native = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--adapter" | "-a" => drop(arguments.next()),
            _ => native.push(argument.replace(&format!("/{main}"), &format!("/{NATIVE}"))),
        }
    }
    native
}

/// What the copy is called.
const NATIVE: &str = "caddy.json";

#[cfg(test)]
mod tests;
