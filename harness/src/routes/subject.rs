//! The configuration that both sides read, with the addresses as published.

use std::collections::BTreeSet;

use proxyproof_oracle::conf::{Document, Edits, Sources};
use proxyproof_oracle::routes::{Config, ConfigErrors};
use proxyproof_oracle::strategy::Draft;

use crate::candidate::{Candidate, Role};
use crate::deployment::{Deployment, ProxyProtocol};
use crate::protocol::Protocol;

/// One file under trial, and those beside it.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// The name of the file in the private directory.
    pub(super) file: String,
    /// Its text.
    pub(super) text: String,
    /// The other files of the user, by name.
    beside: Vec<(String, String)>,
    layout: Layout,
}

/// How the files hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// The file is the main one and includes the others itself.
    Main,
    /// A frame of the harness includes all of them.
    Framed,
}

impl Subject {
    /// The candidate's own configuration; `None` where it has none in NGINX's language.
    pub(super) fn of(candidate: &Candidate) -> Option<Self> {
        let files = candidate.files();
        let is_native = |role| role == Role::Native;
        let natives = files
            .iter()
            .filter(|file| is_native(file.role) && file.name.ends_with(".conf"));
        let texts: Vec<_> = natives
            .map(|file| (file.name.clone(), file.text.clone()))
            .collect();
        let has_server =
            |text: &str| Document::parse(text.as_bytes()).is_ok_and(|file| has_locations(&file));
        let at = texts.iter().position(|(_, text)| has_server(text))?;
        let (file, text) = texts[at].clone();
        Some(Self {
            layout: match files.first().is_some_and(|first| is_native(first.role)) {
                true => Layout::Main,
                false => Layout::Framed,
            },
            beside: texts
                .into_iter()
                .filter(|(name, _)| *name != file)
                .collect(),
            file,
            text,
        })
    }

    /// The same files with a generated table in the place of the one under trial.
    pub(super) fn with_table(&self, draft: &Draft, deployment: &Deployment) -> Self {
        Self {
            text: render(draft, deployment),
            ..self.clone()
        }
    }

    /// As the oracle reads it.
    pub(super) fn config(&self) -> Result<Config, ConfigErrors> {
        let mut sources = Sources::new().file(&self.file, self.text.as_bytes());
        for (name, text) in &self.beside {
            sources = sources.file(name, text.as_bytes());
        }
        match self.layout {
            Layout::Main => Config::read(&self.file, self.text.as_bytes(), &mut sources),
            Layout::Framed => {
                let names = self.beside.iter().map(|(name, _)| name);
                let all = names
                    .chain([&self.file])
                    .map(|name| format!("include {name};\n"));
                Config::read("frame", all.collect::<String>(), &mut sources)
            }
        }
    }

    /// The addresses of all `upstream` servers.
    pub(super) fn upstreams(&self) -> Vec<String> {
        let config = self.config().ok();
        let blocks = config.iter().flat_map(|config| &config.site.upstreams);
        let servers = blocks.flat_map(|block| &block.servers);
        let mut servers: Vec<String> = servers.map(|server| server.written.clone()).collect();
        servers.sort();
        servers.dedup();
        servers
    }

    /// The same with one thing less each: a location, or a directive that changes how paths are read.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let Ok(document) = Document::parse(self.text.as_bytes()) else {
            return Vec::new();
        };
        let mut texts = Vec::new();
        document.walk(&mut |_, directive| {
            if REMOVABLE.iter().any(|name| directive.is(name)) {
                let mut edits = Edits::new(&document);
                edits.remove(directive);
                texts.push(String::from_utf8_lossy(&edits.apply()).into_owned());
            }
        });
        texts
            .into_iter()
            .map(|text| Self {
                text,
                ..self.clone()
            })
            .collect()
    }

    /// What the candidate loads: the text and behind it a server of its own that tells the generation.
    pub(super) fn marked(text: &str, generation: u64, deployment: &Deployment) -> String {
        // Behind TLS both protocols may share a listener.
        let listens: BTreeSet<String> = deployment
            .listeners
            .values()
            .map(|listener| format!("listen {}; ", listener.address))
            .collect();
        let marker = format!(
            "server {{ {}server_name {}; location / {{ return 200 \"generation {generation}\"; }} }}\n",
            String::from_iter(listens),
            super::lane::GENERATION_HOST,
        );
        let Ok(document) = Document::parse(text.as_bytes()) else {
            return text.to_owned();
        };
        match document
            .directives()
            .iter()
            .find(|directive| directive.is("http"))
        {
            Some(http) => {
                let end = http.span().end as usize - 1;
                format!("{}\n{marker}{}", &text[..end], &text[end..])
            }
            None => format!("{text}\n{marker}"),
        }
    }
}

fn has_locations(document: &Document) -> bool {
    let mut found = false;
    document.walk(&mut |_, directive| found |= directive.is("location"));
    found
}

/// A fragment for `http`: the upstreams of a draft and one server on the deployment's listeners.
fn render(draft: &Draft, deployment: &Deployment) -> String {
    let mut text = String::new();
    for (number, address) in TABLE_UPSTREAMS.iter().enumerate() {
        text.push_str(&format!(
            "upstream u{number} {{ server {address} max_fails=0; keepalive 16; }}\n"
        ));
    }
    text.push_str("server {\n");
    for (protocol, listener) in &deployment.listeners {
        let http2 = if *protocol == Protocol::H2 {
            " http2"
        } else {
            ""
        };
        let proxied = match listener.proxy_protocol {
            ProxyProtocol::None => "",
            ProxyProtocol::V1 | ProxyProtocol::V2 => " proxy_protocol",
        };
        text.push_str(&format!(
            "    listen {}{http2}{proxied};\n",
            listener.address
        ));
    }
    text.push_str(&format!(
        "    server_name {};\n    access_log off;\n    proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n",
        deployment.hosts.api
    ));
    for line in String::from_utf8_lossy(&draft.render()).lines() {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str("}\n");
    text
}

/// The addresses of the upstreams `u0` to `u3` of generated tables, as published.
const TABLE_UPSTREAMS: [&str; 4] = [
    "127.0.0.1:9000",
    "127.0.0.1:9001",
    "127.0.0.1:9002",
    "127.0.0.1:9003",
];
/// What shrinking may take away.
const REMOVABLE: [&str; 4] = ["location", "merge_slashes", "rewrite", "if"];
