//! The private copy of a HAProxy configuration.

use std::path::PathBuf;

use super::address::{is_quic, is_same, opened};
use super::parameters::{Fate, OF_BIND, OF_CHECK, OF_SERVER, Parameter};
use super::reader::{Line, Word, lines};
use crate::candidate::CopyPlaces;
use crate::candidate::edits::TextEdits;

/// How the private copy of a HAProxy configuration differs from it besides the addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaproxyCopy {
    /// The folder of the user's file: what it names by a relative path is looked for there.
    pub folder: PathBuf,
    /// The addresses that the stage replaces; whoever listens elsewhere does so on a socket in the private directory.
    pub listeners: Vec<String>,
    /// The addresses of the deployment's upstreams; every other server is one that nobody opens.
    pub upstreams: Vec<String>,
}

/// The text of the copy. Lines stay where they are; a section at the end may be added.
pub(in crate::candidate) fn private_copy(
    text: &str,
    copy: &HaproxyCopy,
    places: CopyPlaces<'_>,
) -> String {
    let lines = lines(text);
    let mut draft = Draft {
        copy,
        places,
        sockets: 0,
        edits: TextEdits::default(),
    };
    for line in &lines {
        draft.look_at(line);
    }
    let mut text = draft.edits.apply(text);
    let is_default = |line: &Line| {
        line.section == "resolvers"
            && line
                .words
                .get(1)
                .is_some_and(|name| name.value == "default")
    };
    if !lines.iter().any(is_default) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(NO_NAME_SERVERS);
    }
    text
}

struct Draft<'a> {
    copy: &'a HaproxyCopy,
    places: CopyPlaces<'a>,
    /// How many sockets of the private directory are listened at.
    sockets: usize,
    edits: TextEdits,
}

impl Draft<'_> {
    fn look_at(&mut self, line: &Line) {
        let words = line.words();
        let second = words.get(1).map_or("", |word| &*word.value);
        match (&*line.section, &*words[0].value, second) {
            ("global", "default-path", _) => self.start_from(line, words),
            ("global", name, _) if OUT_OF_GLOBAL.contains(&name) => self.drop(line),
            ("global", "stats", "socket") | ("acme", ..) => self.drop(line),
            ("crt-store", "load" | "crt-base" | "key-base", _)
            | ("mailers", "mailer", _)
            | ("resolvers", "nameserver" | "parse-resolv-conf", _)
            // It tries again and again to connect to one that nobody opens, without a pause.
            | ("ring", "server" | "backing-file", _) => self.drop(line),
            (_, name, _) if OUT_OF_ALL.contains(&name) => self.drop(line),
            (_, "option", "transparent") => self.drop(line),
            (_, "log" | "log-stderr", target) if leaves(target) => self.drop(line),
            (_, "bind", _) => self.bind(line, words),
            ("peers", "peer", _) => {
                // Which of them is this one, and listens, only HAProxy knows.
                let socket = self.socket();
                self.connect_to(words.get(2), &socket);
            }
            (_, "server" | "server-template" | "dispatch" | "default-server", _) => {
                self.server(words);
            }
            (_, "tcp-check" | "http-check", "connect") => self.without(words.get(2..), OF_CHECK),
            _ => {}
        }
    }

    fn bind(&mut self, line: &Line, words: &[Word]) {
        let Some(place) = words.get(1) else { return };
        let mut open: Vec<String> = Vec::new();
        for piece in place.value.split(',').filter(|piece| !is_quic(piece)) {
            let ours = opened(piece, &self.copy.listeners);
            match ours.is_empty() {
                true => open.push(self.socket()),
                false => open.extend(ours.into_iter().map(str::to_owned)),
            }
        }
        if open.is_empty() {
            return self.drop(line);
        }
        self.set(place, &open.join(","));
        self.without(words.get(2..), OF_BIND);
    }

    fn server(&mut self, words: &[Word]) {
        let (place, parameters) = match &*words[0].value {
            "server" if words.get(2).is_some_and(is_address) => (words.get(2), 3),
            "server" => (None, 2),
            "server-template" => (words.get(3), 4),
            "dispatch" => (words.get(1), 2),
            _ => (None, 1),
        };
        let nowhere = self.unix(NOWHERE);
        self.connect_to(place, &nowhere);
        self.without(words.get(parameters..), OF_SERVER);
    }

    /// The deployment's own address, or this one in its place.
    fn connect_to(&mut self, place: Option<&Word>, elsewhere: &str) {
        let Some(place) = place else { return };
        let mut upstreams = self.copy.upstreams.iter();
        let ours = upstreams.find(|upstream| is_same(&place.value, upstream));
        self.set(place, ours.map_or(elsewhere, |ours| ours));
    }

    /// Without what leads elsewhere, and with the stage's certificate.
    fn without(&mut self, words: Option<&[Word]>, parameters: &[Parameter]) {
        let words = words.unwrap_or_default();
        let certificate = self.places.certificate();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let known = parameters.iter().find(|known| known.name == word.value);
            let values = known.map_or(0, |known| known.values);
            let last = words.get(at + values).or(words.last());
            let end = last.map_or(word.span.end, |last| last.span.end);
            match known.map(|known| known.fate) {
                Some(Fate::Dropped) => self.edits.replace(word.span.start..end, ""),
                Some(Fate::Certificate) => {
                    let name = match &*word.value {
                        "crt-list" => "crt",
                        name => name,
                    };
                    let path = quoted(&certificate.to_string_lossy());
                    let text = format!("{name} {path}");
                    self.edits.replace(word.span.start..end, text);
                }
                Some(Fate::Kept) | None => {}
            }
            at += values + 1;
        }
    }

    /// Relative paths begin in the folder of the user's file, where the program is started: see `-C`.
    fn start_from(&mut self, line: &Line, words: &[Word]) {
        let folder = &self.copy.folder;
        let value = |at: usize| words.get(at).map_or("", |word| &*word.value);
        let origin = match value(1) {
            "config" => folder.clone(),
            "parent" => folder.parent().unwrap_or(folder).to_owned(),
            "origin" => folder.join(value(2)),
            _ => return,
        };
        let origin = quoted(&origin.to_string_lossy());
        self.edits
            .replace(line.span(), format!("default-path origin {origin}"));
    }

    fn drop(&mut self, line: &Line) {
        self.edits.replace(line.span(), "");
    }

    fn set(&mut self, word: &Word, value: &str) {
        self.edits.replace(word.span.clone(), quoted(value));
    }

    /// A socket of the private directory that nobody connects to.
    fn socket(&mut self) -> String {
        self.sockets += 1;
        self.unix(&format!("listen-{}.sock", self.sockets))
    }

    fn unix(&self, name: &str) -> String {
        format!("unix@{}", self.places.directory.join(name).display())
    }
}

/// Whether a target of `log` is another program, and not the candidate's own output or memory.
fn leaves(target: &str) -> bool {
    let own = ["global", "stdout", "stderr", "fd@1", "fd@2", "profile"];
    !own.contains(&target) && !target.starts_with("ring@") && !target.starts_with("backend@")
}

/// In `peers`, a server may have none: then its `bind` says where it is.
fn is_address(word: &Word) -> bool {
    word.value.contains([':', '@', '/', '.']) || word.value == "localhost"
}

/// A word as HAProxy reads it.
fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "@:/._-,*[]+".contains(letter);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in value.chars() {
        if ['"', '\\', '$'].contains(&letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// A socket that nobody opens.
const NOWHERE: &str = "nowhere.sock";

/// Without a section of this name HAProxy makes one from the system's name servers, and tries their addresses.
const NO_NAME_SERVERS: &str = "resolvers default\n";

/// What is the stage's affair, or leaves something behind. `zero-warning`, too: a section that lost its lines is worth one.
const OUT_OF_GLOBAL: [&str; 25] = [
    "chroot",
    "crt-base",
    "daemon",
    "gid",
    "group",
    "insecure-setuid-wanted",
    "key-base",
    "ocsp-update.mode",
    "ocsp-update.httpproxy",
    "pidfile",
    "server-state-base",
    "server-state-file",
    "set-dumpable",
    "setcap",
    "shm-stats-file",
    "shm-stats-file-max-objects",
    "ssl-dh-param-file",
    "stats-file",
    "tune.ssl.ocsp-update.maxdelay",
    "tune.ssl.ocsp-update.mindelay",
    "tune.ssl.ocsp-update.mode",
    "uid",
    "unix-bind",
    "user",
    "zero-warning",
];

/// The same in every section: addresses that connections come from, state of the live one, mail, and datagrams.
const OUT_OF_ALL: [&str; 6] = [
    "dgram-bind",
    "email-alert",
    "load-server-state-from-file",
    "server-state-file-name",
    "source",
    "usesrc",
];
