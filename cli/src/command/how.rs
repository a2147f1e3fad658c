//! How a candidate runs, where not as its manifest says.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use proxyproof_harness::{Candidate, Deployment, candidate::Attachment};

use super::{
    build,
    own::{self, Site},
};
use crate::{
    args::{HowArguments, OwnArguments},
    error::CommandError,
    printer::Printer,
};

/// Whether people say which deployment they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Yes,
    No,
}

/// What was typed about a candidate.
pub(crate) struct Wanted<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) own: Option<&'a OwnArguments>,
    /// Whether a deployment was named: else a file says what its site is.
    pub(crate) deployment: Named,
    pub(crate) how: &'a HowArguments,
}

/// The candidate without any name.
const EMBEDDED: &str = "reference";

impl Wanted<'_> {
    /// The candidate on the site it serves, or on each of several; it is there: its program is installed, or its image fetched.
    pub(crate) fn sites(
        &self,
        mut deployment: Deployment,
        printer: &Printer,
    ) -> Result<Vec<Site>, CommandError> {
        let attached = !self.how.attach.is_empty();
        let configured = self.own.is_some_and(|own| own.config.is_some());
        if attached && self.name.is_none() && !configured {
            if let Some(front) = self.own.and_then(|own| own.front) {
                // What runs already has a certificate of its own, that no probe trusts.
                deployment.put_behind(front, false);
            }
            let candidate = Candidate::attached(self.attachment(&deployment)?);
            return Ok(vec![Site::alone(candidate, deployment)]);
        }
        let name = self.name.unwrap_or(EMBEDDED);
        let sites = match self.own {
            Some(own) => own::sites(own, name, Some(self.how), self.deployment, deployment)?,
            None => vec![Site::alone(Candidate::named(name)?, deployment)],
        };
        let sites = sites.into_iter().map(|site| {
            let candidate = self.installed(site.candidate, &site.deployment, printer)?;
            Ok(Site { candidate, ..site })
        });
        sites.collect()
    }

    /// The first of those.
    pub(crate) fn site(
        &self,
        deployment: Deployment,
        printer: &Printer,
    ) -> Result<Site, CommandError> {
        Ok(self.sites(deployment, printer)?.swap_remove(0))
    }

    fn installed(
        &self,
        candidate: Candidate,
        deployment: &Deployment,
        printer: &Printer,
    ) -> Result<Candidate, CommandError> {
        if !self.how.attach.is_empty() {
            return Ok(candidate.attach(self.attachment(deployment)?));
        }
        candidate.serves(deployment)?;
        match &self.how.container {
            Some(image) => {
                let image = Some(image.as_str()).filter(|image| !image.is_empty());
                in_container(candidate.in_container(image)?, printer)
            }
            None => build::installed(candidate, self.how.binary.as_deref()),
        }
    }

    fn attachment(&self, deployment: &Deployment) -> Result<Attachment, CommandError> {
        let mut attachment = Attachment::default();
        for (name, address) in &self.how.attach {
            let listener = own::protocol(name)
                .filter(|protocol| deployment.listeners.contains_key(protocol))
                .ok_or_else(|| own::unknown("--attach", name, "h1 and h2c"))?;
            attachment.listeners.insert(listener, *address);
        }
        for (name, upstream) in &deployment.upstreams {
            // An address that is none, as a name, has to be given.
            let addresses = upstream.addresses().map(str::parse::<SocketAddr>);
            if let Ok(addresses) = addresses.collect::<Result<Vec<_>, _>>() {
                attachment.mocks.insert(name.clone(), addresses);
            }
        }
        let mut given: BTreeMap<&String, Vec<SocketAddr>> = BTreeMap::new();
        for (name, address) in &self.how.mock {
            if !deployment.upstreams.contains_key(name) {
                let known: Vec<&str> = deployment.upstreams.keys().map(String::as_str).collect();
                return Err(own::unknown("--mock", name, &known.join(" and ")));
            }
            given.entry(name).or_default().push(*address);
        }
        let given = given.into_iter();
        let given = given.map(|(name, addresses)| (name.clone(), addresses));
        attachment.mocks.extend(given);
        Ok(attachment)
    }

    /// What was typed, as far as it matters for asking one thing again.
    pub(crate) fn typed(&self) -> String {
        let HowArguments {
            binary,
            container,
            attach,
            mock,
        } = self.how;
        let mut typed = String::new();
        if let Some(name) = self.name {
            typed.push_str(&format!(" {name}"));
        } else if attach.is_empty() {
            typed.push_str(&format!(" {EMBEDDED}"));
        }
        if let Some(path) = binary {
            typed.push_str(&format!(" --binary {}", path.display()));
        }
        if let Some(image) = container {
            typed.push_str(" --container");
            if !image.is_empty() {
                typed.push_str(&format!(" {image}"));
            }
        }
        for (option, named) in [("--attach", attach), ("--mock", mock)] {
            for (name, address) in named {
                typed.push_str(&format!(" {option} {name}={address}"));
            }
        }
        typed + &self.own.map(own::typed).unwrap_or_default()
    }
}

#[cfg(feature = "containers")]
fn in_container(candidate: Candidate, printer: &Printer) -> Result<Candidate, CommandError> {
    use proxyproof_harness::candidate::{LaunchKind, fetch};

    use crate::runtime;

    if let LaunchKind::Container(image) = &candidate.launch.kind {
        let runtime = runtime::of_one_thread()?;
        runtime.block_on(fetch(image, |step| printer.note(step)))?;
    }
    Ok(candidate.installed()?)
}

#[cfg(not(feature = "containers"))]
fn in_container(candidate: Candidate, _printer: &Printer) -> Result<Candidate, CommandError> {
    Ok(candidate.installed()?)
}
