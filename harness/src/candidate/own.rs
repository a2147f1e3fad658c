//! A configuration of one's own, in NGINX's language, in the place of the gallery's.

mod draft;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proxyproof_oracle::conf::{self, Directive, Edits, Span, Word};

use self::source::{Group, Source, followed};
use super::{CERTIFICATE, Candidate, Gallery, LaunchFile, Role};
use crate::deployment::{Deployment, Front, ProxyProtocol, PublishedListener};
use crate::document::{DocumentError, nearest};
use crate::error::HarnessError;
use crate::protocol::Protocol;

/// A user's file, read and not changed: what runs is a private copy with the stage's own addresses and paths.
#[derive(Clone, Debug)]
pub struct OwnConfiguration {
    /// Where its includes are looked for.
    folder: PathBuf,
    main: Source,
    included: Vec<Group>,
}

/// How the private copy of a user's file differs from it besides the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCopy {
    /// The folder of the main file: its relative paths are looked for there.
    pub folder: PathBuf,
    /// The addresses that the stage replaces; whoever listens elsewhere does so on a socket in the private directory.
    pub listeners: Vec<String>,
    /// Arguments of `include` whose files are copied, and what names the copies.
    pub includes: Vec<(String, String)>,
}

/// Whether variables that people's copies lack are supplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maps {
    /// The configuration stands for itself.
    AsWritten,
    /// With the maps of the gallery before it, as if the user had them.
    Assumed,
}

impl OwnConfiguration {
    /// Reads a file, and what it includes: a whole configuration with `http { … }`, or a fragment that stands within it.
    ///
    /// # Errors
    /// [`HarnessError::Unreadable`], or [`HarnessError::Document`] at the first place that is no configuration.
    pub fn read(path: &Path) -> Result<Self, HarnessError> {
        let main = Source::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            included: followed(&main, folder)?,
            // The copy is read in another folder: the path has to be absolute.
            folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
            main,
        })
    }

    /// The host that the first server with locations is for; `None` where it has no plain name.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let mut found = None;
        self.walk(&mut |_, above, directive| {
            if found.is_none()
                && directive.is("server_name")
                && above.last().is_some_and(|parent| is_site(parent))
            {
                let names = directive.arguments().iter().map(Word::text);
                found = names
                    .into_iter()
                    .find(|name| name.contains('.') && !name.starts_with(['.', '~', '*']))
                    .map(|name| name.to_ascii_lowercase());
            }
        });
        found
    }

    /// The gallery's candidate with this configuration in the place of its own.
    ///
    /// # Errors
    /// [`HarnessError::Document`] where the copy would listen or connect elsewhere than on the stage, and for a
    /// candidate whose configuration is no file of its own language.
    pub fn of(
        self,
        name: &str,
        maps: Maps,
        deployment: &Deployment,
    ) -> Result<Candidate, HarnessError> {
        self.keeps_to(deployment)?;
        let whole = self.has(b"http");
        let family = Gallery::embedded().family(name)?;
        let fits = |candidate: &&Candidate| {
            let files = candidate.files();
            let main = files.first().is_some_and(|file| file.role == Role::Native);
            main == whole && files.iter().any(|file| file.role == Role::Native)
        };
        let Some(mut candidate) = family.iter().find(fits).cloned() else {
            let message = format!("candidate `{name}` takes no configuration of one's own");
            return Err(self
                .main
                .lacks(message)
                .help("a manifest for it: a folder with a candidate.toml, given by path")
                .into());
        };
        let includes = self.included.iter();
        let copy = OwnCopy {
            folder: self.folder.clone(),
            listeners: deployment
                .listeners
                .values()
                .map(|listener| listener.address.clone())
                .collect(),
            includes: includes
                .map(|group| (group.written.clone(), group.pattern()))
                .collect(),
        };
        let own = |source: &Source, name: String| LaunchFile {
            name,
            origin: source.origin.clone(),
            text: source.text.to_string(),
            role: Role::Native,
            insertions: Vec::new(),
            own: Some(copy.clone()),
        };
        let mut replaced = false;
        for file in &mut candidate.launch.files {
            if file.role != Role::Native {
                continue;
            }
            if !replaced {
                *file = Arc::new(own(&self.main, file.name.clone()));
                replaced = true;
            } else if maps == Maps::AsWritten {
                let mut empty = LaunchFile::clone(file);
                empty.text = String::new();
                *file = Arc::new(empty);
            }
        }
        self.walk(&mut |_, _, directive| candidate.secrets.look_at(directive));
        for group in &self.included {
            let sources = group.sources.iter().enumerate();
            let copies = sources.map(|(index, source)| Arc::new(own(source, group.name(index))));
            candidate.launch.files.extend(copies);
        }
        Ok(candidate)
    }

    /// Looks at every directive of every file that is copied.
    fn walk<'s>(&'s self, look: &mut impl FnMut(&'s Source, &[&Directive], &Directive)) {
        let included = self.included.iter().flat_map(|group| &group.sources);
        for source in std::iter::once(&self.main).chain(included) {
            source
                .parsed
                .walk(&mut |above, directive| look(source, above, directive));
        }
    }

    fn has(&self, name: &[u8]) -> bool {
        let mut found = false;
        self.main
            .parsed
            .walk(&mut |_, directive| found |= directive.name() == name);
        found
    }

    /// Nothing but the stage is connected to.
    fn keeps_to(&self, deployment: &Deployment) -> Result<(), DocumentError> {
        let programs: Vec<&str> = deployment
            .upstreams
            .values()
            .map(|upstream| &*upstream.address)
            .collect();
        let mut groups = Vec::new();
        self.walk(&mut |_, _, directive| {
            if let (true, Some(name)) = (directive.is("upstream"), directive.arguments().first()) {
                groups.push(name.text().into_owned());
            }
        });
        let mut wrong = None;
        self.walk(&mut |source, above, directive| {
            if wrong.is_some() {
                return;
            }
            wrong = match (directive.name(), directive.arguments().first()) {
                (b"server", Some(address)) if above.last().is_some_and(|up| up.is("upstream")) => {
                    one_of(source, address, &programs, "upstream", "--upstream cpa=")
                }
                (b"proxy_pass", Some(url)) => destination(source, url, &programs, &groups),
                (name, Some(url)) if name.ends_with(b"_pass") => Some(
                    source
                        .at(url, format!("`{}` leaves the stage", text_of(directive)))
                        .help("only `proxy_pass` to the deployment's upstreams can be staged"),
                ),
                _ => None,
            };
        });
        wrong.map_or(Ok(()), Err)?;
        self.listens(deployment)
    }

    /// Puts the deployment behind this front, with the listeners of the first server that has locations.
    ///
    /// # Errors
    /// [`HarnessError::Document`] where that server waits for a PROXY header that no such front sends, or has no listener.
    pub fn stand_behind(
        &self,
        front: Front,
        deployment: &mut Deployment,
    ) -> Result<(), HarnessError> {
        if front == Front::Tunnel {
            deployment.put_behind(front, false);
            return Ok(());
        }
        let ways = self.ways_in();
        let ends_tls = front == Front::None && ways.iter().any(WayIn::ends_tls);
        let open = with_or_without_tls(&ways, ends_tls);
        if let Some(way) = open.iter().find(|way| way.wants_header()) {
            let message = format!("`--front {}` sends no PROXY header", front.name());
            return Err(way
                .source
                .at(way.place(), message)
                .help("`--front tunnel` does, and so does the deployment without any --front")
                .into());
        }
        let listeners: BTreeMap<Protocol, PublishedListener> = of_protocols(&open).collect();
        if listeners.is_empty() {
            let wanted = match front {
                Front::Tls => "without TLS, since the front ends it",
                _ => "that clients could ask",
            };
            let message = format!("no server with locations has a listener {wanted}");
            return Err(self.main.lacks(message).into());
        }
        deployment.listeners = listeners;
        deployment.put_behind(front, ends_tls);
        Ok(())
    }

    /// The listeners of the first server with locations: those with TLS, if it has any.
    fn listeners(&self) -> Vec<(Protocol, PublishedListener)> {
        let ways = self.ways_in();
        let ends_tls = ways.iter().any(WayIn::ends_tls);
        of_protocols(&with_or_without_tls(&ways, ends_tls)).collect()
    }

    /// Where the first server with locations listens, over TCP.
    fn ways_in(&self) -> Vec<WayIn<'_>> {
        let mut ways = Vec::new();
        let mut server = None;
        let mut anywhere = false;
        self.walk(&mut |source, above, directive| {
            let site = above.iter().find(|parent| is_site(parent));
            anywhere |=
                is_http2_on(directive) && above.last().is_some_and(|parent| parent.is("http"));
            let Some(site) = site else {
                return;
            };
            let here = (source.origin.as_str(), site.span().start);
            let is_way_in = directive.is("listen")
                && !directive.arguments().is_empty()
                && !has(directive, "quic");
            if *server.get_or_insert(here) == here && is_way_in {
                let server_wide = site.children().iter().any(is_http2_on);
                ways.push(WayIn {
                    source,
                    http_two: server_wide || has(directive, "http2"),
                    listen: directive.clone(),
                });
            }
        });
        // `http2 on` of NGINX 1.25.1 is for every protocol that a listener can tell apart: with TLS by ALPN.
        for way in &mut ways {
            way.http_two |= anywhere && way.ends_tls();
        }
        ways
    }

    /// A listener that nobody opens would be waited for in vain.
    fn listens(&self, deployment: &Deployment) -> Result<(), DocumentError> {
        let mut open = Vec::new();
        self.walk(&mut |_, _, directive| {
            if let (true, Some(place)) = (directive.is("listen"), directive.arguments().first()) {
                open.push(address(&place.text()));
            }
        });
        for (protocol, listener) in &deployment.listeners {
            if !open.contains(&listener.address) {
                let ends_tls = self.ways_in().iter().any(WayIn::ends_tls);
                let way = if ends_tls {
                    "; `--front none` asks a site that ends TLS itself"
                } else {
                    ""
                };
                return Err(self
                    .main
                    .lacks(format!("no server listens on {} for {protocol}", listener.address))
                    .help(format!(
                        "`--listen {protocol}=ADDRESS` says where it does{}{way}; a site without that listener is a --deployment of its own",
                        listed(&open)
                    )));
            }
        }
        Ok(())
    }
}

/// A listener of a site, as written.
struct WayIn<'s> {
    source: &'s Source,
    /// With an address.
    listen: Directive,
    http_two: bool,
}

impl WayIn<'_> {
    fn place(&self) -> &Word {
        &self.listen.arguments()[0]
    }

    fn ends_tls(&self) -> bool {
        has(&self.listen, "ssl")
    }

    fn wants_header(&self) -> bool {
        has(&self.listen, "proxy_protocol")
    }
}

fn with_or_without_tls<'w, 's>(ways: &'w [WayIn<'s>], ends_tls: bool) -> Vec<&'w WayIn<'s>> {
    let wanted = ways.iter().filter(|way| way.ends_tls() == ends_tls);
    wanted.collect()
}

/// The first listener of each protocol; behind TLS one may serve both, and ALPN chooses.
fn of_protocols(ways: &[&WayIn<'_>]) -> impl Iterator<Item = (Protocol, PublishedListener)> {
    // The parameter `http2` leaves no HTTP/1.1 to a listener without TLS; the directive does.
    let h1 = ways
        .iter()
        .find(|way| way.ends_tls() || !has(&way.listen, "http2"));
    let h2 = ways.iter().find(|way| way.http_two);
    let listener = |way: &&WayIn| PublishedListener {
        address: address(&way.place().text()),
        proxy_protocol: match way.wants_header() {
            true => ProxyProtocol::V1,
            false => ProxyProtocol::None,
        },
        tls: way.ends_tls(),
    };
    [
        (Protocol::H1, h1.map(listener)),
        (Protocol::H2, h2.map(listener)),
    ]
    .into_iter()
    .filter_map(|(protocol, listener)| Some((protocol, listener?)))
}

fn has(directive: &Directive, argument: &str) -> bool {
    directive
        .arguments()
        .iter()
        .any(|word| word.value() == argument.as_bytes())
}

/// A server that serves something: one that only redirects or refuses has no locations.
fn is_site(directive: &Directive) -> bool {
    directive.is("server")
        && directive
            .children()
            .iter()
            .any(|child| child.is("location"))
}

fn is_http2_on(directive: &Directive) -> bool {
    directive.is("http2") && has(directive, "on")
}

fn one_of(
    source: &Source,
    word: &Word,
    known: &[&str],
    what: &str,
    option: &str,
) -> Option<DocumentError> {
    let written = address(&word.text());
    if known.contains(&&*written) {
        return None;
    }
    let close = nearest(&written, known.iter().copied());
    let near = close.map_or_else(String::new, |near| format!("; did you mean `{near}`"));
    Some(
        source
            .at(
                word,
                format!("`{written}` is no {what} address of the deployment"),
            )
            .help(format!(
                "known are {}{near}; `{option}{written}` takes this one for it",
                known.join(" and ")
            )),
    )
}

fn destination(
    source: &Source,
    url: &Word,
    programs: &[&str],
    groups: &[String],
) -> Option<DocumentError> {
    let written = url.text();
    let authority = written
        .split_once("://")
        .map_or(&*written, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let known = programs.contains(&authority) || groups.iter().any(|name| name == authority);
    (!known).then(|| {
        source.at(url, format!("`{written}` leaves the stage"))
            .help(format!(
                "the name of an `upstream`, or one of {}; `--upstream cpa={authority}` takes this one for it",
                programs.join(" and ")
            ))
    })
}

/// Where it listens, as far as a line holds it.
fn listed(open: &[String]) -> String {
    let mut distinct: Vec<&str> = open.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.truncate(6);
    match distinct[..] {
        [] => String::new(),
        _ => format!(": {}", distinct.join(", ")),
    }
}

/// An address as the copy has it: a port alone is on every address, and would be replaced wherever its number stands.
#[must_use]
pub fn address(written: &str) -> String {
    let port = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    if port {
        format!("0.0.0.0:{written}")
    } else {
        written.to_owned()
    }
}

fn text_of(directive: &Directive) -> String {
    String::from_utf8_lossy(directive.name()).into_owned()
}

/// The private copy: its process, log and temporary paths are the stage's, its includes the user's. Lines stay where they are.
pub(super) fn private_copy(text: &str, own: &OwnCopy) -> String {
    // A test of the reload may write what does not parse: then it is the proxy that has to find out.
    let Ok(document) = conf::Document::parse(text.as_bytes()) else {
        return text.to_owned();
    };
    let mut edits = Edits::new(&document);
    let mut temporary: Vec<&str> = TEMPORARY.to_vec();
    document.walk(&mut |_, directive| {
        let name = text_of(directive);
        let first = directive.arguments().first();
        temporary.retain(|other| *other != name);
        match (&*name, first) {
            ("listen", Some(_)) if has(directive, "quic") => {
                blank(&document, directive, &mut edits)
            }
            (name, _) if TAKEN_OUT.contains(&name) => blank(&document, directive, &mut edits),
            ("ssl_certificate" | "ssl_certificate_key", Some(file)) => {
                edits.set(file, CERTIFICATE.as_bytes());
            }
            ("listen", Some(place)) => {
                let written = address(&place.text());
                if own.listeners.contains(&written) {
                    edits.set(place, written.as_bytes());
                    without_ipv6only(directive, &mut edits);
                } else {
                    elsewhere(directive, place, &mut edits);
                }
            }
            ("error_log", Some(file)) => {
                edits.set(file, b"error.log");
            }
            ("access_log", Some(file)) if file.value() != b"off" => {
                edits.set(file, b"access.log");
            }
            ("include", Some(file)) => {
                let written = file.text();
                let copies = own.includes.iter().find(|(other, _)| *other == written);
                let path = match copies {
                    Some((_, copies)) => copies.clone(),
                    None => own.folder.join(&*written).to_string_lossy().into_owned(),
                };
                edits.set(file, path.as_bytes());
            }
            ("load_module", Some(module)) => {
                if let Some(path) = module_path(&module.text()) {
                    edits.set(module, path.to_string_lossy().as_bytes());
                }
            }
            (name, Some(path)) if name.ends_with("_temp_path") => {
                edits.set(path, name.as_bytes());
            }
            _ => {}
        }
    });
    if let Some(http) = document.directives().iter().find(|one| one.is("http")) {
        let own: String = temporary
            .iter()
            .map(|name| format!(" {name} {name};"))
            .collect();
        edits.replace(Span::at(http.span().start as usize), "pid nginx.pid; ");
        if let Some(first) = http.children().first() {
            edits.replace(Span::at(first.span().start as usize), format!("{own} "));
        }
    }
    String::from_utf8_lossy(&edits.apply()).into_owned()
}

/// A directive that the copy does without; its lines stay.
fn blank(document: &conf::Document, directive: &Directive, edits: &mut Edits<'_>) {
    let span = directive.span();
    let lines = document.raw(span).iter().filter(|byte| **byte == b'\n');
    edits.replace(span, vec![b'\n'; lines.count()]);
}

/// What is the stage's affair, or names files of the server that has it: keys, tickets, and who vouches for a certificate
/// (`ssl_stapling` asks its authority, beyond the stage).
const TAKEN_OUT: [&str; 12] = [
    "daemon",
    "user",
    "pid",
    "lock_file",
    "ssl_dhparam",
    "ssl_password_file",
    "ssl_session_ticket_key",
    "ssl_stapling",
    "ssl_stapling_file",
    "ssl_stapling_verify",
    "ssl_trusted_certificate",
    "http3",
];

/// Another site of the same server: it is read, and nobody can reach it.
fn elsewhere(directive: &Directive, place: &Word, edits: &mut Edits<'_>) {
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let name: String = address(&place.text()).chars().map(letter).collect();
    edits.set(place, format!("unix:listen-{name}.sock").as_bytes());
    without_ipv6only(directive, edits);
}

/// Neither a socket of the private directory nor the stage's own address, which is IPv4, has that parameter.
fn without_ipv6only(directive: &Directive, edits: &mut Edits<'_>) {
    for parameter in directive.arguments().iter().skip(1) {
        if parameter.value().starts_with(b"ipv6only=") {
            edits.replace(parameter.span, "");
        }
    }
}

/// Where a module is that is named from NGINX's own prefix, which the copy does not have.
fn module_path(written: &str) -> Option<PathBuf> {
    let own = Path::new(written);
    let name = own.file_name().filter(|_| own.is_relative())?;
    MODULES
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

/// Where distributions keep modules: Debian, Fedora, Alpine and nginx.org; source builds.
const MODULES: [&str; 4] = [
    "/usr/lib/nginx/modules",
    "/usr/lib64/nginx/modules",
    "/etc/nginx/modules",
    "/usr/local/nginx/modules",
];

/// Where NGINX writes bodies unless it is told otherwise: the system's own folders.
const TEMPORARY: [&str; 5] = [
    "client_body_temp_path",
    "proxy_temp_path",
    "fastcgi_temp_path",
    "uwsgi_temp_path",
    "scgi_temp_path",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str) -> OwnConfiguration {
        OwnConfiguration {
            folder: PathBuf::new(),
            main: Source {
                origin: String::new(),
                text: text.into(),
                parsed: conf::Document::parse(text.as_bytes()).unwrap(),
            },
            included: Vec::new(),
        }
    }

    #[test]
    fn the_private_copy_keeps_its_lines_and_leaves_the_system_alone() {
        let text = "user www-data;\npid /run/nginx.pid;\nerror_log /var/log/e.log warn;\nevents {}\nhttp {\n    include types;\n    access_log /var/log/a.log main;\n    server { listen 8003; access_log off; }\n}\n";
        let copy = private_copy(
            text,
            &OwnCopy {
                folder: PathBuf::from("/etc/nginx"),
                listeners: vec!["0.0.0.0:8003".to_owned()],
                includes: Vec::new(),
            },
        );
        assert_eq!(
            copy,
            "\n\nerror_log error.log warn;\nevents {}\npid nginx.pid; http {\n     client_body_temp_path client_body_temp_path; proxy_temp_path proxy_temp_path; fastcgi_temp_path fastcgi_temp_path; uwsgi_temp_path uwsgi_temp_path; scgi_temp_path scgi_temp_path; include /etc/nginx/types;\n    access_log access.log main;\n    server { listen 0.0.0.0:8003; access_log off; }\n}\n"
        );
    }

    #[test]
    fn a_copy_ends_tls_with_the_stages_certificate() {
        let text = "server {\n  listen [::]:443 ssl http2 ipv6only=on;\n  listen 443 quic;\n  ssl_certificate /etc/a.pem;\n  \
                    ssl_certificate_key /etc/k.pem;\n  ssl_dhparam /etc/d.pem;\n  ssl_stapling on;\n  location / { }\n}\n";
        let copy = private_copy(
            text,
            &OwnCopy {
                folder: PathBuf::from("/etc/nginx"),
                listeners: vec!["[::]:443".to_owned()],
                includes: Vec::new(),
            },
        );
        assert_eq!(
            copy,
            "server {\n  listen [::]:443 ssl http2 ;\n  \n  ssl_certificate certificate.pem;\n  ssl_certificate_key certificate.pem;\n  \
             \n  \n  location / { }\n}\n"
        );
    }

    #[test]
    fn the_listeners_of_a_site_that_ends_tls() {
        let text = "server { listen 80; return 301 https://$host$request_uri; } \
                    server { listen 80; listen 443 ssl; http2 on; location / { } } server { listen 444 ssl; location / { } }";
        let own = own(text);
        let mut deployment = Deployment::cpa_two_hosts();
        own.stand_behind(Front::None, &mut deployment).unwrap();
        let listening: Vec<_> = deployment.listeners.values().collect();
        assert_eq!(listening.len(), 2);
        for listener in listening {
            assert_eq!((&*listener.address, listener.tls), ("0.0.0.0:443", true));
        }
        own.stand_behind(Front::Tls, &mut deployment).unwrap();
        for protocol in Protocol::DIRECT {
            assert_eq!(deployment.listeners[&protocol].address, "0.0.0.0:80");
        }
    }

    #[test]
    fn the_host_is_that_of_the_first_server_with_locations() {
        let served = "server { server_name _; return 421; } server { server_name *.b.test API.b.test; location / {} }";
        assert_eq!(own(served).host().as_deref(), Some("api.b.test"));
        assert_eq!(own("server { server_name _; location / {} }").host(), None);
    }
}
