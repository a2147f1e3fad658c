//! The private copy of a user's file.

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
}
