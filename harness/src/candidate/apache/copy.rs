//! The private copy of an Apache configuration.

use std::path::Path;

use super::reader::{Line, Variables, Word, lines};
use super::{destination, directives, include};
use crate::candidate::CopyPlaces;
use crate::candidate::edits::TextEdits;

/// How the private copy of an Apache configuration differs from it besides the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApacheCopy {
    /// The addresses that the stage replaces; nothing else is listened at.
    pub listeners: Vec<String>,
    /// The addresses of the deployment's upstreams; every other destination is one where no service is.
    pub upstreams: Vec<String>,
    /// Arguments of `Include` whose files are copied, and what means the copies.
    pub includes: Vec<(String, String)>,
    /// What `Define` gives its names to, in all of the files.
    pub variables: Vec<(String, String)>,
}

/// The text of the copy. Lines stay where they are.
pub(in crate::candidate) fn private_copy(
    text: &str,
    copy: &ApacheCopy,
    places: CopyPlaces<'_>,
) -> String {
    let mut variables: Variables = copy.variables.iter().cloned().collect();
    let mut draft = Draft {
        copy,
        places,
        text,
        edits: TextEdits::default(),
    };
    for line in lines(text, &mut variables) {
        draft.look_at(&line);
    }
    draft.edits.apply(text)
}

struct Draft<'a> {
    copy: &'a ApacheCopy,
    places: CopyPlaces<'a>,
    text: &'a str,
    edits: TextEdits,
}

impl Draft<'_> {
    fn look_at(&mut self, line: &Line) {
        let file = |name: &str| self.places.directory.join(name);
        let first = line.arguments.first();
        let module = line.name == "loadmodule" && directives::is_left_out_module(line.value(0));
        if module || directives::is_left_out(&line.name) {
            return self.drop(line);
        }
        if let Some(log) = directives::log(&line.name) {
            return self.set(first, &file(log).to_string_lossy());
        }
        match &*line.name {
            "listen" => self.listen(line),
            "<virtualhost" => self.virtual_host(line),
            "user" | "group" => self.set(first, NOBODY),
            "sslcertificatefile" | "sslcertificatekeyfile" => {
                let certificate = self.places.certificate();
                self.set(first, &certificate.to_string_lossy());
            }
            "cacheroot" => self.set(first, &file("cache").to_string_lossy()),
            "require" | "allow" | "deny" => self.without_names(line),
            _ if include::is_include(line) => self.include(line),
            _ => {
                if let Some(word) = destination::of(line) {
                    let instead = destination::in_the_copy(&word.value, &self.copy.upstreams);
                    if instead != word.value {
                        self.set(Some(word), &instead);
                    }
                }
            }
        }
    }

    /// The deployment's listeners; Apache has no sockets in the file system to listen at in the place of others.
    fn listen(&mut self, line: &Line) {
        match opened(line.value(0), &self.copy.listeners) {
            Some(listener) => self.set(line.arguments.first(), listener),
            None => self.drop(line),
        }
    }

    /// A virtual host of a listener's port follows it. Those of others have none, and no name server is asked for them.
    fn virtual_host(&mut self, line: &Line) {
        for word in &line.arguments {
            if let Some(listener) = follows(&word.value, &self.copy.listeners) {
                self.set(Some(word), listener);
            } else if word.value.contains(':') || !is_literal(&word.value) {
                self.set(Some(word), NO_HOST);
            }
        }
    }

    fn include(&mut self, line: &Line) {
        let written = line.value(0);
        let mut includes = self.copy.includes.iter();
        let copies = includes.find(|(other, _)| other == written);
        // One that was not found, Apache does not find either.
        let name = copies.map_or("included-nothing.conf", |(_, pattern)| pattern);
        let path = self.places.directory.join(name);
        self.set(line.arguments.first(), &path.to_string_lossy());
    }

    /// Names of hosts that a client's address would be compared with: nobody is asked for them, and they match nothing.
    fn without_names(&mut self, line: &Line) {
        let words = &line.arguments;
        let kind = words.iter().position(|word| {
            let value = word.value.to_ascii_lowercase();
            ["host", "forward-dns", "from"].contains(&&*value)
        });
        let Some(kind) = kind.filter(|at| *at <= 1) else {
            return;
        };
        let is_from = words[kind].value.eq_ignore_ascii_case("from");
        if !is_from {
            self.set(words.get(kind), "ip");
        }
        for word in &words[kind + 1..] {
            let lower = word.value.to_ascii_lowercase();
            let kept = lower == "all" || lower.starts_with("env=") || is_literal(&lower);
            if !is_from || !kept {
                self.set(Some(word), NO_CLIENT);
            }
        }
    }

    /// Its ends of lines stay.
    fn drop(&mut self, line: &Line) {
        let mut end = line.span.end;
        if line.name.starts_with('<') {
            let rest = self.text[end..].lines().next().unwrap_or_default();
            end += rest.find('>').map_or(0, |close| close + 1);
        }
        let text = &self.text[line.span.start..end];
        let ends = "\n".repeat(text.matches('\n').count());
        self.edits.replace(line.span.start..end, ends);
    }

    fn set(&mut self, word: Option<&Word>, value: &str) {
        if let Some(word) = word {
            self.edits.replace(word.span.clone(), quoted(value));
        }
    }
}

/// The listener that a `Listen` is.
pub(super) fn opened<'l>(written: &str, listeners: &'l [String]) -> Option<&'l String> {
    let written = everywhere(written);
    let mut listeners = listeners.iter();
    listeners.find(|listener| everywhere(listener) == written)
}

/// The listener that a virtual host's address is of, by its port.
fn follows<'l>(written: &str, listeners: &'l [String]) -> Option<&'l String> {
    let (_, port) = written.rsplit_once(':')?;
    let same_port = |listener: &&String| {
        listener
            .rsplit_once(':')
            .is_some_and(|(_, other)| other == port)
    };
    let exact = opened(written, listeners);
    exact.or_else(|| listeners.iter().find(same_port))
}

/// One spelling for a port of every address.
fn everywhere(address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
    let host = match host {
        "" | "*" | "0.0.0.0" => "*",
        host => host,
    };
    format!("{host}:{port}")
}

/// An address that no name server is asked for.
fn is_literal(address: &str) -> bool {
    let host = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => address,
    };
    let numeric = |letter: char| letter.is_ascii_digit() || "./".contains(letter);
    host == "*" || host == "_default_" || host.contains(':') || host.chars().all(numeric)
}

/// An argument as Apache reads it.
pub(super) fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "@:/._-,*[]+$%|!#".contains(letter);
    match !value.is_empty() && value.chars().all(plain) {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// What the command line has to say before the file: where the files go that every server has.
pub(super) fn before(root: &Path) -> Vec<String> {
    let root = crate::candidate::template::literal(&quoted(&root.to_string_lossy()));
    [
        format!("ServerRoot {root}"),
        "DefaultRuntimeDir {{ work | quoted }}".to_owned(),
        "PidFile {{ (work ~ \"/apache.pid\") | quoted }}".to_owned(),
        "ErrorLog {{ (work ~ \"/error.log\") | quoted }}".to_owned(),
        // Without one, name servers are asked for this machine's.
        "ServerName localhost".to_owned(),
    ]
    .into_iter()
    .flat_map(|directive| ["-C".to_owned(), directive])
    .collect()
}

/// A user that every system has; workers need nothing of the private directory.
const NOBODY: &str = "#65534";
/// An address of a virtual host that nobody listens at.
const NO_HOST: &str = "127.0.0.1:1";
/// An address that no client has.
const NO_CLIENT: &str = "255.255.255.255";
