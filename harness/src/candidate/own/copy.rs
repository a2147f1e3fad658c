//! The private copy of a user's file.

use std::ops::Range;
use std::path::{Path, PathBuf};

use proxyproof_oracle::conf::{self, Directive, Edits, Span, Word};

use super::{address, has, text_of};
use crate::candidate::CERTIFICATE;

/// How the private copy of a user's file differs from it besides the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCopy {
    /// The folder of the main file: its relative paths are looked for there.
    pub folder: PathBuf,
    /// The addresses that the stage replaces; whoever listens elsewhere does so on a socket in the private directory.
    pub listeners: Vec<String>,
    /// The destinations of other sites, as written: the copy passes nothing on to them.
    pub unplugged: Vec<String>,
    /// Where in the text other sites have their servers, in bytes: no finding is about them.
    pub others: Vec<Range<usize>>,
    /// Arguments of `include` whose files are copied, and what names the copies.
    pub includes: Vec<(String, String)>,
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
                if let Some(first) = directive.children().first() {
                    let listen = format!("listen {NOBODY}; ");
                    edits.replace(Span::at(first.span().start as usize), listen);
                }
            }
            (name, Some(url)) if name.ends_with("_pass") && own.unplugs(url) => {
                edits.set(url, nowhere(name, &url.text()).as_bytes());
            }
            (name, Some(path)) if name.ends_with("_cache_path") => {
                edits.set(path, format!("{name}-{}", plain(&path.text())).as_bytes());
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
            // Nobody but the stage connects, and over IPv4.
            ("set_real_ip_from", Some(peer)) if LOCAL.contains(&&*peer.text()) => {
                edits.set(peer, b"127.0.0.1");
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

    fn unplugs(&self, destination: &Word) -> bool {
        let destination = destination.text();
        self.unplugged.iter().any(|one| *one == destination)
    }
}

/// Without `listen` a server is on port 80, or on 8000 where it may not have that.
fn opens_the_usual_port(server: &Directive) -> bool {
    let says = |child: &Directive| child.is("listen") || child.is("include");
    !server.children().iter().any(says)
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

/// A directive that the copy does without; its lines stay.
fn blank(document: &conf::Document, directive: &Directive, edits: &mut Edits<'_>) {
    let span = directive.span();
    let lines = document.raw(span).iter().filter(|byte| **byte == b'\n');
    edits.replace(span, vec![b'\n'; lines.count()]);
}

/// What is the stage's affair, or names files of the server that has it: keys, tickets, and who vouches for a certificate
/// (`ssl_stapling` asks its authority, beyond the stage). And limits of how much one address may ask, which a suite
/// that asks everything at once has to exceed.
const TAKEN_OUT: [&str; 14] = [
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
    "limit_conn",
    "limit_req",
];

/// Peers of the listeners that the stage's own replaces.
const LOCAL: [&str; 4] = ["::1", "::1/128", "::/0", "unix:"];

/// A socket of the private directory that nobody connects to.
const NOBODY: &str = "unix:listen-nobody.sock";
/// One that nobody opens.
const NOWHERE: &str = "unix:nowhere.sock";

/// Another site of the same server: it is read, and nobody can reach it.
fn elsewhere(directive: &Directive, place: &Word, edits: &mut Edits<'_>) {
    let name = plain(&address(&place.text()));
    edits.set(place, format!("unix:listen-{name}.sock").as_bytes());
    without_ipv6only(directive, edits);
}

/// A name for a file, out of what is no such name.
fn plain(text: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '-',
    };
    text.chars().map(letter).collect()
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

    #[test]
    fn the_private_copy_keeps_its_lines_and_leaves_the_system_alone() {
        let text = "user www-data;\npid /run/nginx.pid;\nerror_log /var/log/e.log warn;\nevents {}\nhttp {\n    include types;\n    access_log /var/log/a.log main;\n    server { listen 8003; access_log off; }\n}\n";
        let copy = private_copy(
            text,
            &OwnCopy {
                folder: PathBuf::from("/etc/nginx"),
                listeners: vec!["0.0.0.0:8003".to_owned()],
                includes: Vec::new(),
                unplugged: Vec::new(),
                others: Vec::new(),
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
                unplugged: Vec::new(),
                others: Vec::new(),
            },
        );
        assert_eq!(
            copy,
            "server {\n  listen [::]:443 ssl http2 ;\n  \n  ssl_certificate certificate.pem;\n  ssl_certificate_key certificate.pem;\n  \
             \n  \n  location / { }\n}\n"
        );
    }

    #[test]
    fn a_copy_passes_nothing_on_to_where_other_sites_do() {
        let text = "upstream blog { server blog:80; }\nserver { location / { proxy_pass https://blog/x; fastcgi_pass a:1; } }\n\
                    proxy_cache_path /var/cache/b keys_zone=b:1m;\n";
        let copy = private_copy(
            text,
            &OwnCopy {
                folder: PathBuf::new(),
                listeners: Vec::new(),
                unplugged: ["blog:80", "https://blog/x", "a:1"]
                    .map(str::to_owned)
                    .to_vec(),
                others: Vec::new(),
                includes: Vec::new(),
            },
        );
        assert_eq!(
            copy,
            "upstream blog { server unix:nowhere.sock; }\nserver { listen unix:listen-nobody.sock; location / { \
             proxy_pass https://unix:nowhere.sock; fastcgi_pass unix:nowhere.sock; } }\nproxy_cache_path \
             proxy_cache_path--var-cache-b keys_zone=b:1m;\n"
        );
    }
}
