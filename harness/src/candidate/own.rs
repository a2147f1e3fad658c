//! A configuration of one's own, in NGINX's language, in the place of the gallery's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proxyproof_oracle::conf::{self, Directive, Edits, Span, Word};

use super::{Candidate, Gallery, LaunchFile, Role};
use crate::deployment::Deployment;
use crate::document::{Document, DocumentError, nearest};
use crate::error::HarnessError;

/// A user's file, read and not changed: what runs is a private copy with the stage's own addresses and paths.
#[derive(Clone, Debug)]
pub struct OwnConfiguration {
    path: PathBuf,
    text: Arc<str>,
    parsed: conf::Document,
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
    /// Reads a file: a whole configuration with `http { … }`, or a fragment that stands within it.
    ///
    /// # Errors
    /// [`HarnessError::Unreadable`], or [`HarnessError::Document`] at the first place that is no configuration.
    pub fn read(path: &Path) -> Result<Self, HarnessError> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|cause| HarnessError::Unreadable {
            file: file.clone(),
            cause,
        })?;
        // Comments come in any encoding; what is replaced has no meaning to the proxy.
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        let parsed = conf::Document::parse(text.as_bytes()).map_err(|errors| {
            let first = &errors.errors[0];
            let document = Document::new(&*file, Arc::clone(&text));
            let span = first.span.start as usize..first.span.end as usize;
            document
                .error(span, "here", first.problem.to_string())
                .help(format!("expected {}", first.problem.expected()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
            parsed,
        })
    }

    /// The host that the first server with locations is for; `None` where it has no plain name.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let mut found = None;
        self.parsed.walk(&mut |above, directive| {
            let names_a_site = |parent: &&Directive| {
                parent.is("server") && parent.children().iter().any(|child| child.is("location"))
            };
            if found.is_none()
                && directive.is("server_name")
                && above.last().is_some_and(names_a_site)
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
            let document = Document::new(self.origin(), self.text);
            return Err(document
                .lacks(format!(
                    "candidate `{name}` takes no configuration of one's own"
                ))
                .help("a manifest for it: a folder with a candidate.toml, given by path")
                .into());
        };
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut replaced = false;
        for file in &mut candidate.launch.files {
            if file.role != Role::Native {
                continue;
            }
            let mut own = LaunchFile::clone(file);
            if !replaced {
                own.text = self.text.to_string();
                own.origin = self.origin();
                own.insertions = Vec::new();
                own.folder = Some(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()));
                replaced = true;
            } else if maps == Maps::AsWritten {
                own.text = String::new();
            }
            *file = Arc::new(own);
        }
        Ok(candidate)
    }

    fn origin(&self) -> String {
        self.path.display().to_string()
    }

    fn has(&self, name: &[u8]) -> bool {
        let mut found = false;
        self.parsed
            .walk(&mut |_, directive| found |= directive.name() == name);
        found
    }

    /// Nothing but the stage is listened on or connected to.
    fn keeps_to(&self, deployment: &Deployment) -> Result<(), DocumentError> {
        let listeners: Vec<&str> = deployment
            .listeners
            .values()
            .map(|listener| &*listener.address)
            .collect();
        let programs: Vec<&str> = deployment
            .upstreams
            .values()
            .map(|upstream| &*upstream.address)
            .collect();
        let mut groups = Vec::new();
        self.parsed.walk(&mut |_, directive| {
            if let (true, Some(name)) = (directive.is("upstream"), directive.arguments().first()) {
                groups.push(name.text().into_owned());
            }
        });
        let mut wrong = None;
        self.parsed.walk(&mut |above, directive| {
            if wrong.is_some() {
                return;
            }
            wrong = match (directive.name(), directive.arguments().first()) {
                (b"listen", Some(address)) => {
                    self.one_of(address, &listeners, "listen", "--listen h1=")
                }
                (b"server", Some(address)) if above.last().is_some_and(|up| up.is("upstream")) => {
                    self.one_of(address, &programs, "upstream", "--upstream cpa=")
                }
                (b"proxy_pass", Some(url)) => self.destination(url, &programs, &groups),
                (b"include", Some(file)) => self.included(file),
                (name, Some(url)) if name.ends_with(b"_pass") => Some(
                    self.at(url, format!("`{}` leaves the stage", text_of(directive)))
                        .help("only `proxy_pass` to the deployment's upstreams can be staged"),
                ),
                _ => None,
            };
        });
        wrong.map_or(Ok(()), Err)?;
        self.listens(deployment)
    }

    /// A listener that nobody opens would be waited for in vain.
    fn listens(&self, deployment: &Deployment) -> Result<(), DocumentError> {
        let mut open = Vec::new();
        self.parsed.walk(&mut |_, directive| {
            if let (true, Some(place)) = (directive.is("listen"), directive.arguments().first()) {
                open.push(address(&place.text()));
            }
        });
        for (protocol, listener) in &deployment.listeners {
            if !open.contains(&listener.address) {
                let document = Document::new(self.origin(), Arc::clone(&self.text));
                return Err(document
                    .lacks(format!("no server listens on {} for {protocol}", listener.address))
                    .help(format!(
                        "`--listen {protocol}=ADDRESS` says where it does; a site without that listener is a --deployment of its own"
                    )));
            }
        }
        Ok(())
    }

    fn one_of(
        &self,
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
            self.at(
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
        &self,
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
            self.at(url, format!("`{written}` leaves the stage"))
                .help(format!(
                    "the name of an `upstream`, or one of {}; `--upstream cpa={authority}` takes this one for it",
                    programs.join(" and ")
                ))
        })
    }

    /// A file of types or parameters may be read where it is; one that listens or connects has to be given itself.
    fn included(&self, word: &Word) -> Option<DocumentError> {
        let pattern = self
            .path
            .parent()
            .unwrap_or(Path::new(""))
            .join(&*word.text());
        let pattern = pattern.to_string_lossy().into_owned();
        let files: Vec<PathBuf> = match glob::glob(&pattern) {
            Ok(found) => found.flatten().collect(),
            Err(_) => Vec::new(),
        };
        if files.is_empty() && !pattern.contains(['*', '?', '[']) {
            let message = format!("`{}` is not there", word.text());
            return Some(self.at(word, message).help("includes are looked for beside the configuration; a path of its own begins with `/`"));
        }
        let acts = |file: &PathBuf| {
            let text = std::fs::read(file).unwrap_or_default();
            let (document, _) = conf::Document::recover(text);
            let mut acts = false;
            document.walk(&mut |_, directive| {
                let name = directive.name();
                acts |= name == b"listen" || name == b"upstream" || name.ends_with(b"_pass");
            });
            acts
        };
        let acting = files.iter().find(|file| acts(file))?;
        Some(
            self.at(
                word,
                "an included file that listens or connects is not copied",
            )
            .help(format!(
                "give that one itself: --config {}",
                acting.display()
            )),
        )
    }

    fn at(&self, word: &Word, message: impl Into<String>) -> DocumentError {
        let document = Document::new(self.origin(), Arc::clone(&self.text));
        let span = word.span.start as usize..word.span.end as usize;
        document.error(span, "here", message)
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
pub(super) fn private_copy(text: &str, folder: &Path) -> String {
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
            ("daemon" | "user" | "pid" | "lock_file", _) => {
                let span = directive.span();
                let lines = document.raw(span).iter().filter(|byte| **byte == b'\n');
                edits.replace(span, vec![b'\n'; lines.count()]);
            }
            ("listen", Some(place)) => {
                edits.set(place, address(&place.text()).as_bytes());
            }
            ("error_log", Some(file)) => {
                edits.set(file, b"error.log");
            }
            ("access_log", Some(file)) if file.value() != b"off" => {
                edits.set(file, b"access.log");
            }
            ("include", Some(file)) => {
                let path = folder.join(&*file.text());
                edits.set(file, path.to_string_lossy().as_bytes());
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
        let copy = private_copy(text, Path::new("/etc/nginx"));
        assert_eq!(
            copy,
            "\n\nerror_log error.log warn;\nevents {}\npid nginx.pid; http {\n     client_body_temp_path client_body_temp_path; proxy_temp_path proxy_temp_path; fastcgi_temp_path fastcgi_temp_path; uwsgi_temp_path uwsgi_temp_path; scgi_temp_path scgi_temp_path; include /etc/nginx/types;\n    access_log access.log main;\n    server { listen 0.0.0.0:8003; access_log off; }\n}\n"
        );
    }

    #[test]
    fn the_host_is_that_of_the_first_server_with_locations() {
        let own = |text: &str| OwnConfiguration {
            path: PathBuf::new(),
            text: text.into(),
            parsed: conf::Document::parse(text.as_bytes()).unwrap(),
        };
        let served = "server { server_name _; return 421; } server { server_name *.b.test API.b.test; location / {} }";
        assert_eq!(own(served).host().as_deref(), Some("api.b.test"));
        assert_eq!(own("server { server_name _; location / {} }").host(), None);
    }
}
