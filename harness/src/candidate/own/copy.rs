//! The private copy of a user's file.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use proxyproof_oracle::conf::{self, Body, Directive, Edits, Span, Word};

use super::modules::Lacking;
use super::unconfined::{gate, is_left_out};
use super::{address, has, has_port, text_of};
use crate::candidate::CERTIFICATE;

/// How the private copy of a user's file differs from it besides the addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnCopy {
    /// Whether it is the main file, and not an included one.
    pub is_main: bool,
    /// The folder of the main file: its relative paths are looked for there.
    pub folder: PathBuf,
    /// The addresses that the stage replaces; whoever listens elsewhere does so on a socket in the private directory.
    pub listeners: Vec<String>,
    /// The destinations of other sites, as written: the copy passes nothing on to them.
    pub unplugged: Vec<String>,
    /// Hosts that destinations name without a port, and their addresses: each is an `upstream` of the copy.
    pub implied: Vec<(String, String)>,
    /// Destinations whose variables lead to one place, and the same with that place written out.
    pub literal: Vec<(String, String)>,
    /// Whether some server ends TLS.
    pub ends_tls: bool,
    /// Arguments of `include` whose files are not there: the copy does without.
    pub missing: Vec<String>,
    /// Where in the text other sites have their servers, in bytes: no finding is about them.
    pub others: Vec<Range<usize>>,
    /// Arguments of `include` whose files are copied, and what names the copies.
    pub includes: Vec<(String, String)>,
    /// What the NGINX that runs does not know.
    pub(super) lacking: Lacking,
    /// Variables on which an `if` turns clients away, and the copy none.
    pub(super) gates: BTreeSet<String>,
    /// Paths of error pages that are files of the user's server.
    pub(super) pages: BTreeSet<String>,
}

/// The private copy: its process, log and temporary paths are the stage's, its includes the user's. Lines stay where they are.
pub(in crate::candidate) fn private_copy(text: &str, own: &OwnCopy) -> String {
    // A test of the reload may write what does not parse: then it is the proxy that has to find out.
    let Ok(document) = conf::Document::parse(text.as_bytes()) else {
        return text.to_owned();
    };
    let mut edits = Edits::new(&document);
    let mut temporary: Vec<&str> = TEMPORARY.to_vec();
    document.walk(&mut |above, directive| {
        let mut parents = above.iter().enumerate();
        if parents.any(|(depth, parent)| own.leaves_out(&above[..depth], parent)) {
            return;
        }
        if own.leaves_out(above, directive) {
            return blank(&document, directive, &mut edits);
        }
        let name = text_of(directive);
        let first = directive.arguments().first();
        temporary.retain(|other| *other != name);
        match (&*name, first) {
            ("listen", Some(_)) if has(directive, "quic") => {
                blank(&document, directive, &mut edits)
            }
            ("server", Some(place))
                if above.last().is_some_and(|up| up.is("upstream")) && own.unplugs(place) =>
            {
                edits.set(place, NOWHERE.as_bytes());
            }
            ("server", None) if opens_the_usual_port(directive) => {
                if let Some(inside) = inside(directive) {
                    let is_meant = own.listeners.iter().any(|one| one == USUAL_PORT);
                    let place = if is_meant { USUAL_PORT } else { NOBODY };
                    edits.replace(inside, format!(" listen {place};"));
                }
            }
            ("server", Some(place))
                if above.last().is_some_and(|up| up.is("upstream"))
                    && lacks_port(&place.text()) =>
            {
                edits.set(place, format!("{}:80", place.text()).as_bytes());
            }
            (name, Some(url)) if name.ends_with("_pass") && own.unplugs(url) => {
                edits.set(url, nowhere(name, &url.text()).as_bytes());
            }
            // The stage's address has no colon behind it.
            ("proxy_pass", Some(url)) if url.text().contains("://unix:") => {
                edits.set(url, without_second_colon(&url.text()).as_bytes());
            }
            ("proxy_pass", Some(url)) => {
                if let Some(literal) = own.literal(&url.text()) {
                    edits.set(url, literal.as_bytes());
                }
            }
            // The stage's upstreams have certificates of its own.
            ("proxy_ssl_verify", Some(flag)) => {
                edits.set(flag, b"off");
            }
            (name, Some(path)) if name.ends_with("_cache_path") => {
                edits.set(path, format!("{name}-{}", plain(&path.text())).as_bytes());
            }
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
            // Nobody but the stage connects, and over IPv4.
            ("set_real_ip_from", Some(peer)) if LOCAL.contains(&&*peer.text()) => {
                edits.set(peer, b"127.0.0.1");
            }
            ("error_log", Some(file)) => {
                edits.set(file, b"error.log");
            }
            ("access_log", Some(file)) if file.value() != b"off" => {
                // The format may be another file's.
                edits.set(file, b"access.log");
                without(directive, &[""], &mut edits);
            }
            ("resolver", Some(_)) => asks_nobody(directive, &mut edits),
            // Traces would be sent there.
            ("endpoint", Some(place)) if above.last().is_some_and(|up| up.is("otel_exporter")) => {
                edits.set(place, NO_SERVICE.as_bytes());
            }
            ("include", Some(file)) if own.missing.iter().any(|one| *one == file.text()) => {
                blank(&document, directive, &mut edits);
            }
            ("include", Some(file)) => {
                let written = file.text();
                let copies = own.includes.iter().find(|(other, _)| *other == written);
                let path = match copies {
                    Some((_, copies)) => copies.clone(),
                    // Not even what NGINX would find where the harness found nothing.
                    None if written.contains(['*', '?', '[']) => NO_FILES.to_owned(),
                    None => own.folder.join(&*written).to_string_lossy().into_owned(),
                };
                edits.set(file, path.as_bytes());
            }
            ("load_module", Some(module)) => match module_path(&module.text()) {
                Some(path) => {
                    edits.set(module, path.to_string_lossy().as_bytes());
                }
                None => blank(&document, directive, &mut edits),
            },
            (name, Some(path)) if name.ends_with("_temp_path") => {
                edits.set(path, name.as_bytes());
            }
            _ => {}
        }
    });
    let implied: String = own
        .implied
        .iter()
        .filter(|_| own.is_main)
        .map(|(name, address)| format!("upstream {name} {{ server {address}; }} "))
        .chain(own.is_main.then(|| own.lacking.maps()))
        // A file that is missing, or a program, may be what names the certificate.
        .chain(
            (own.is_main && own.ends_tls && !names_a_certificate(&document)).then(|| {
                format!("ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE}; ")
            }),
        )
        .collect();
    let is_whole = document.directives().iter().any(|one| one.is("http"));
    if !is_whole && !implied.is_empty() {
        edits.replace(Span::at(0), implied.clone());
    }
    if let Some(http) = document.directives().iter().find(|one| one.is("http")) {
        let mut own: String = temporary
            .iter()
            .map(|name| format!(" {name} {name};"))
            .collect();
        // Without one here, NGINX opens the system's.
        if !http.children().iter().any(|child| child.is("access_log")) {
            own.push_str(" access_log access.log;");
        }
        let has_events = document.directives().iter().any(|one| one.is("events"));
        let events = if has_events { "" } else { "events { } " };
        let before = format!("pid nginx.pid; {events}");
        edits.replace(Span::at(http.span().start as usize), before);
        if let Some(inside) = inside(http) {
            edits.replace(inside, format!("{own} {implied}"));
        }
    }
    String::from_utf8_lossy(&edits.apply()).into_owned()
}

impl OwnCopy {
    /// A user's text with blanks in the place of other sites.
    pub(in crate::candidate) fn without_others(&self, text: &str) -> String {
        let other = |at: usize| self.others.iter().any(|range| range.contains(&at));
        text.char_indices()
            .map(|(at, letter)| match letter {
                letter if letter != '\n' && other(at) => ' ',
                letter => letter,
            })
            .collect()
    }

    fn leaves_out(&self, above: &[&Directive], directive: &Directive) -> bool {
        let page = directive.arguments().last();
        is_left_out(above, directive)
            || self.lacking.has(above, directive)
            || gate(directive).is_some_and(|name| self.gates.contains(&name))
            || directive.is("error_page")
                && page.is_some_and(|page| self.pages.contains(&*page.text()))
    }

    fn literal(&self, url: &str) -> Option<&str> {
        let found = self.literal.iter().find(|(written, _)| written == url);
        found.map(|(_, literal)| literal.as_str())
    }

    fn unplugs(&self, destination: &Word) -> bool {
        let destination = destination.text();
        self.unplugged.iter().any(|one| *one == destination)
    }
}

/// Whether a certificate stands outside servers, for all of them.
fn names_a_certificate(document: &conf::Document) -> bool {
    let mut named = false;
    document.walk(&mut |above, directive| {
        let outside = !above.iter().any(|block| block.is("server"));
        named |= outside && directive.is("ssl_certificate");
    });
    named
}

/// Without `listen` a server is on port 80, or on 8000 where it may not have that.
pub(super) fn opens_the_usual_port(server: &Directive) -> bool {
    let says = |child: &Directive| child.is("listen") || child.is("include");
    !server.children().iter().any(says)
}

/// Whether an address has no port: NGINX takes 80.
fn lacks_port(written: &str) -> bool {
    !has_port(written) && !written.starts_with("unix:")
}

/// `http://unix:/run/x.sock:/uri` as the text of an address with a URI behind it.
fn without_second_colon(url: &str) -> String {
    match url.split_once("://unix:") {
        Some((scheme, path)) => format!("{scheme}://unix:{}", path.replacen(':', "", 1)),
        None => url.to_owned(),
    }
}

/// A destination that takes nothing, in the place of this one.
fn nowhere(directive: &str, written: &str) -> String {
    match written.split_once("://") {
        Some((scheme, _)) if !scheme.contains('$') => format!("{scheme}://{NOWHERE}"),
        // This one's variables hold the scheme too.
        _ if directive == "proxy_pass" && written.contains('$') => format!("http://{NOWHERE}"),
        _ => NOWHERE.to_owned(),
    }
}

/// The place behind the brace that opens a block: what stands first in it may be left out, and whatever was inserted there.
fn inside(directive: &Directive) -> Option<Span> {
    match &directive.body {
        Body::Block(block) => Some(Span::at(block.open.end as usize)),
        _ => None,
    }
}

/// A directive that the copy does without; its lines stay.
fn blank(document: &conf::Document, directive: &Directive, edits: &mut Edits<'_>) {
    let span = directive.span();
    let lines = document.raw(span).iter().filter(|byte| **byte == b'\n');
    edits.replace(span, vec![b'\n'; lines.count()]);
}

/// Peers of the listeners that the stage's own replaces.
const LOCAL: [&str; 4] = ["::1", "::1/128", "::/0", "unix:"];

/// A socket of the private directory that nobody connects to.
const NOBODY: &str = "unix:listen-nobody.sock";
/// Where a server without `listen` is reached.
pub(super) const USUAL_PORT: &str = "0.0.0.0:80";
/// One that nobody opens.
const NOWHERE: &str = "unix:nowhere.sock";

/// An address of loopback where no service is.
const NO_SERVICE: &str = "127.0.0.1:1";
/// A pattern that means nothing in the private directory.
const NO_FILES: &str = "included-nothing-*.conf";

/// Another site of the same server: it is read, and nobody can reach it.
fn elsewhere(directive: &Directive, place: &Word, edits: &mut Edits<'_>) {
    let name = plain(&address(&place.text()));
    edits.set(place, format!("unix:listen-{name}.sock").as_bytes());
    without(directive, &OF_TCP, edits);
}

/// Names are looked up nowhere; without any name server a destination with variables would not load.
fn asks_nobody(directive: &Directive, edits: &mut Edits<'_>) {
    for (at, word) in directive.arguments().iter().enumerate() {
        if at == 0 {
            edits.set(word, NO_SERVICE.as_bytes());
        } else if !word.value().contains(&b'=') {
            edits.replace(word.span, "");
        }
    }
}

/// A name for a file, out of what is no such name.
fn plain(text: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '-',
    };
    text.chars().map(letter).collect()
}

/// The stage's own address is IPv4.
fn without_ipv6only(directive: &Directive, edits: &mut Edits<'_>) {
    without(directive, &["ipv6only="], edits);
}

fn without(directive: &Directive, parameters: &[&str], edits: &mut Edits<'_>) {
    for word in directive.arguments().iter().skip(1) {
        let written = word.text();
        let begins = |parameter: &&str| written.starts_with(*parameter);
        if parameters.iter().any(begins) {
            edits.replace(word.span, "");
        }
    }
}

/// What a socket of the private directory does not have.
const OF_TCP: [&str; 6] = [
    "deferred",
    "fastopen=",
    "ipv6only=",
    "reuseport",
    "setfib=",
    "so_keepalive=",
];

/// Where a module is, if it is anywhere: NGINX's own prefix, from which it may be named, the copy does not have.
pub(super) fn module_path(written: &str) -> Option<PathBuf> {
    let own = Path::new(written);
    if own.is_absolute() {
        return own.is_file().then(|| own.to_owned());
    }
    let name = own.file_name()?;
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
mod tests;
