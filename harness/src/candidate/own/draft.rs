//! A deployment and a manifest to start from, out of a configuration.

use std::collections::BTreeSet;

use proxyproof_oracle::conf::{Directive, Word};

use super::site::Sites;
use super::{OwnConfiguration, is_site, private_copy};
use crate::candidate::{Candidate, Feature, PrivateCopy, Role};
use crate::deployment::{Deployment, Front, ProxyProtocol, PublishedListener};
use crate::protocol::Protocol;

impl OwnConfiguration {
    /// A deployment, as TOML, of what its first server with locations says: hosts, listeners, upstreams, routes, limits.
    /// What it does not say has the deployment's usual value; what can't be known is a comment.
    #[must_use]
    pub fn deployment_draft(&self) -> String {
        // Of several sites, the one at the published addresses.
        let published = Deployment::cpa_two_hosts();
        let sites = Sites::of(self, &published);
        let mut site = Site::default();
        self.walk(&mut |source, above, directive| {
            if !sites.is_elsewhere(source, above) {
                site.look_at(above, directive);
            }
        });
        site.listeners = self.listeners(&published);
        site.toml()
    }

    /// A folder for `run`: a manifest and the files of this candidate, as they would be staged but with their own
    /// addresses, by name.
    #[must_use]
    pub fn folder_draft(candidate: &Candidate, name: &str) -> Vec<(String, String)> {
        let mut manifest = format!(
            "# Made from a configuration by `proxyproof init`; every key is in docs/candidates.md.\n\
             name = {}\nabout = \"what it is for, in a sentence\"\nfeatures = {}\n\n[launch]\nbinary = {}\narguments = {}\n",
            quoted(name),
            list(candidate.features.iter().map(Feature::to_string)),
            quoted(&candidate.launch.binary.display().to_string()),
            list(candidate.launch.arguments.iter().cloned()),
        );
        if let Some(language) = candidate.launch.language {
            manifest.push_str(&format!("language = \"{}\"\n", language.name()));
        }
        if let Some(validate) = &candidate.launch.validate {
            manifest.push_str(&format!("validate = {}\n", list(validate.iter().cloned())));
        }
        if let Some(version) = &candidate.launch.version {
            manifest.push_str(&format!(
                "version = {{ arguments = {}, after = {} }}\n",
                list(version.arguments.iter().cloned()),
                quoted(&version.after)
            ));
        }
        let signals = candidate.launch.signals;
        manifest.push_str(&format!(
            "signals = {{ stop = \"{}\", drain = \"{}\", reload = \"{}\" }}\n",
            signals.stop.word(),
            signals.drain.word(),
            signals.reload.word()
        ));
        if let Some(log) = &candidate.launch.log {
            manifest.push_str(&format!("log = {}\n", quoted(log)));
        }
        let mut files = Vec::new();
        for file in &candidate.launch.files {
            let text = match &file.private_copy {
                Some(PrivateCopy::Nginx(own)) => private_copy(&file.text, own),
                _ => file.text.clone(),
            };
            manifest.push_str(&format!("\n[[file]]\nname = {}\n", quoted(&file.name)));
            if file.role == Role::Template {
                let from = format!("{}.j2", file.name);
                manifest.push_str(&format!("from = {}\nrole = \"template\"\n", quoted(&from)));
                files.push((from, text));
            } else {
                files.push((file.name.clone(), text));
            }
        }
        for hint in &candidate.hints {
            manifest.push_str(&format!(
                "\n[[hint]]\nfinding = {}\nat = {}\nchange = {}\nbecause = {}\n",
                quoted(&hint.finding),
                quoted(&hint.at),
                quoted(&hint.change),
                quoted(&hint.because)
            ));
        }
        files.insert(0, (crate::candidate::MANIFEST.to_owned(), manifest));
        files
    }
}

/// What the first server with locations says.
#[derive(Default)]
struct Site {
    /// Where that server begins, to tell it from others.
    server: Option<u32>,
    host: Option<String>,
    /// Where it can be asked.
    listeners: Vec<(Protocol, PublishedListener)>,
    /// Groups and their first server, in the order they are used.
    groups: Vec<(String, String)>,
    /// Location and destination.
    routes: Vec<(String, String)>,
    body: Option<String>,
    read: Option<String>,
    send: Option<String>,
}

impl Site {
    fn look_at(&mut self, above: &[&Directive], directive: &Directive) {
        let parent = above.last();
        let arguments: Vec<String> = texts(directive.arguments());
        if directive.is("server")
            && parent.is_some_and(|parent| parent.is("upstream"))
            && let (Some(group), Some(address)) = (
                parent.and_then(|parent| parent.arguments().first()),
                arguments.first(),
            )
        {
            let group = group.text().into_owned();
            if !self.groups.iter().any(|(known, _)| *known == group) {
                self.groups.push((group, address.clone()));
            }
        }
        let Some(server) = above.iter().find(|one| is_site(one)) else {
            return;
        };
        if *self.server.get_or_insert(server.span().start) != server.span().start {
            return;
        }
        let first = arguments.first().cloned();
        let of_server = parent.is_some_and(|parent| parent.is("server"));
        match directive.name() {
            b"server_name" if self.host.is_none() => self.host = first,
            b"client_max_body_size" if of_server => self.body = first,
            b"proxy_read_timeout" if of_server => self.read = first,
            b"proxy_send_timeout" if of_server => self.send = first,
            b"proxy_pass" => {
                if let (Some(location), Some(url)) = (parent, first)
                    && location.is("location")
                {
                    let location = texts(location.arguments()).join(" ");
                    let authority = url.split_once("://").map_or(&*url, |(_, rest)| rest);
                    let authority = authority.split('/').next().unwrap_or_default();
                    self.routes.push((location, authority.to_owned()));
                }
            }
            _ => {}
        }
    }

    fn toml(&self) -> String {
        let mut toml = format!(
            "# Made from a configuration by `proxyproof init`: what the site wants. Look at every line.\n\
             name = \"my-site\"\nabout = \"what it is for, in a sentence\"\n{}\n[hosts]\napi = {}\n",
            match self.front() {
                Front::Tunnel => String::new(),
                front => format!("front = \"{}\"\n", front.name()),
            },
            quoted(self.host.as_deref().unwrap_or("api.example.org"))
        );
        for (protocol, listener) in &self.listeners {
            let header = match listener.proxy_protocol {
                ProxyProtocol::None => "none",
                _ => "v1",
            };
            let tls = if listener.tls { "tls = true\n" } else { "" };
            toml.push_str(&format!(
                "\n[[listener]]\naddress = {}\nprotocol = \"{protocol}\"\nproxy_protocol = \"{header}\"\n{tls}",
                quoted(&listener.address)
            ));
        }
        let names = self.names();
        for (destination, name) in &names {
            let group = self.groups.iter().find(|(group, _)| group == destination);
            let address = group.map_or(destination, |(_, address)| address);
            toml.push_str(&format!(
                "\n# `{destination}` in the configuration.\n[upstream.{name}]\naddress = {}\npool = 32\n",
                quoted(address)
            ));
        }
        let mut written = BTreeSet::new();
        for (location, destination) in &self.routes {
            let Some((_, name)) = names.iter().find(|(other, _)| other == destination) else {
                toml.push_str(&format!(
                    "\n# `{location}` goes to `{destination}`, which is neither the gateway nor its usage service.\n"
                ));
                continue;
            };
            if written.insert(location.clone()) {
                toml.push_str(&format!(
                    "\n[[route]]\nlocation = {}\nupstream = \"{name}\"\n",
                    quoted(location)
                ));
            }
        }
        let or = |value: &Option<String>, usual: &str| {
            quoted(value.as_deref().unwrap_or(usual)).to_ascii_lowercase()
        };
        // NGINX's own defaults where the configuration says nothing.
        toml.push_str(&format!(
            "\n[limits]\nrequest_body = {}\nread_timeout = {}\nsend_timeout = {}\n",
            or(&self.body, "1m"),
            or(&self.read, "60s"),
            or(&self.send, "60s")
        ));
        toml.push_str("\n[identity]\ntrusted = [\"127.0.0.1\"]\nscheme = \"https\"\nport = 443\n");
        if self.front() != Front::Tunnel {
            return toml;
        }
        for (protocol, listener) in &self.listeners {
            let alpn = match protocol {
                Protocol::H2 => "alpn = \"h2\"\n",
                _ => "",
            };
            let xver = match listener.proxy_protocol {
                ProxyProtocol::None => 0,
                _ => 1,
            };
            toml.push_str(&format!(
                "\n[[fallback]]\nname = {}\n{alpn}dest = {}\nxver = {xver}\n",
                quoted(self.host.as_deref().unwrap_or("api.example.org")),
                quoted(&listener.address)
            ));
        }
        toml
    }

    /// A site that ends TLS itself needs nothing in front; a PROXY header comes from a tunnel server.
    fn front(&self) -> Front {
        let any = |what: fn(&PublishedListener) -> bool| {
            self.listeners.iter().any(|(_, listener)| what(listener))
        };
        if any(|listener| listener.tls) {
            Front::None
        } else if any(|listener| listener.proxy_protocol != ProxyProtocol::None) {
            Front::Tunnel
        } else {
            Front::Tls
        }
    }

    /// Where everything goes that nothing else takes is the gateway; the next that is used is its usage service.
    fn names(&self) -> Vec<(String, &'static str)> {
        let rest = self.routes.iter().find(|(location, _)| location == "/");
        let rest = rest.or(self.routes.first()).map(|(_, to)| to.clone());
        let other = self
            .routes
            .iter()
            .map(|(_, to)| to)
            .find(|to| Some(*to) != rest.as_ref())
            .cloned();
        let cpa = rest.map(|to| (to, "cpa"));
        cpa.into_iter()
            .chain(other.map(|to| (to, "usage")))
            .collect()
    }
}

fn texts(words: &[Word]) -> Vec<String> {
    words.iter().map(|word| word.text().into_owned()).collect()
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| quoted(&item)).collect();
    format!("[{}]", items.join(", "))
}

/// A basic string of TOML, which JSON's strings are.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
