//! A configuration of one's own, in NGINX's language, in the place of the gallery's.

mod copy;
mod derive;
mod draft;
mod frame;
mod in_force;
mod included;
mod main_file;
mod modules;
mod site;
mod source;
mod unconfined;
mod way_in;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proxyproof_oracle::conf::{Directive, Word};

pub use self::copy::OwnCopy;
pub(super) use self::copy::private_copy;
pub use self::derive::{Gateway, Said, SaidUpstream};
pub(in crate::candidate) use self::in_force::InForce;
use self::main_file::MainFile;
use self::modules::Lacking;
use self::site::{INDIRECT, Sites};
use self::source::{Group, Missing, Source, followed};
use self::way_in::WayIn;
use super::{Candidate, Gallery, LaunchFile, PrivateCopy, Role};
use crate::deployment::Deployment;
use crate::document::{DocumentError, nearest};
use crate::error::HarnessError;
use crate::stage::loopback_alone;

/// A user's file, read and not changed: what runs is a private copy with the stage's own addresses and paths.
#[derive(Clone, Debug)]
pub struct OwnConfiguration {
    /// Where its includes are looked for.
    folder: PathBuf,
    main: Source,
    included: Vec<Group>,
    /// Files that are not there: the copy does without them.
    missing: Vec<Missing>,
    /// What the NGINX that runs has no module for.
    lacking: Lacking,
    /// Whether variables that people's copies lack are supplied.
    maps: Maps,
}

/// Whether variables that people's copies lack are supplied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Maps {
    /// The configuration stands for itself.
    #[default]
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
        let MainFile { main, files } = MainFile::read(path)?;
        let (included, missing) = followed(&main, &files)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self {
            // The copy is read in another folder: the path has to be absolute.
            folder: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
            included,
            missing,
            lacking: Lacking::default(),
            maps: Maps::default(),
            main,
        })
    }

    /// The same, with the maps of the gallery or without; not said otherwise, it is without.
    #[must_use]
    pub fn with_maps(mut self, maps: Maps) -> Self {
        self.maps = maps;
        self
    }

    /// Every file that is copied, the main one first.
    fn sources(&self) -> impl Iterator<Item = &Source> {
        let included = self.included.iter().flat_map(|group| &group.sources);
        std::iter::once(&self.main).chain(included)
    }

    /// The host that the deployment's first server with locations is for; `None` where it has no plain name.
    #[must_use]
    pub fn host(&self, deployment: &Deployment) -> Option<String> {
        let sites = Sites::of(self, deployment);
        let mut found = None;
        self.walk(&mut |_, above, directive| {
            if found.is_none()
                && directive.is("server_name")
                && above.last().is_some_and(|parent| sites.is_site(parent))
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
    pub fn of(self, name: &str, deployment: &Deployment) -> Result<Candidate, HarnessError> {
        let sites = Sites::of(&self, deployment);
        // Code of its own reaches nothing where nothing is.
        if !loopback_alone() {
            unconfined::check(&self)?;
        }
        let unplugged = self.keeps_to(&sites)?;
        self.listens(deployment)?;
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
            is_main: false,
            folder: self.folder.clone(),
            unplugged,
            implied: sites.implied(),
            literal: sites.literal(),
            missing: self.missing.iter().map(|one| one.written.clone()).collect(),
            others: Vec::new(),
            ends_tls: self.ends_tls(),
            listeners: deployment
                .listeners
                .values()
                .map(|listener| listener.address.clone())
                .collect(),
            includes: includes
                .map(|group| (group.written.clone(), group.pattern()))
                .collect(),
            lacking: self.lacking.clone(),
            gates: self.gates(),
            pages: self.pages(),
        };
        let own = |source: &Source, name: String| LaunchFile {
            name,
            origin: source.origin.clone(),
            text: source.text.to_string(),
            role: Role::Native,
            insertions: Vec::new(),
            deployment: None,
            private_copy: Some(PrivateCopy::Nginx(OwnCopy {
                is_main: std::ptr::eq(source, &self.main),
                others: sites.others(source),
                ..copy.clone()
            })),
        };
        let mut replaced = false;
        for file in &mut candidate.launch.files {
            if file.role != Role::Native {
                continue;
            }
            if !replaced {
                *file = Arc::new(own(&self.main, file.name.clone()));
                replaced = true;
                continue;
            }
            let mut frame = LaunchFile::clone(file);
            if self.maps == Maps::AsWritten {
                frame.text.clear();
            }
            frame.text.push_str(&self.frame());
            *file = Arc::new(frame);
        }
        candidate.in_force = InForce::of(&self, deployment).map(Arc::new);
        self.walk(&mut |_, above, directive| candidate.secrets.look_at(above, directive));
        for group in &self.included {
            let sources = group.sources.iter().enumerate();
            let copies = sources.map(|(index, source)| Arc::new(own(source, group.name(index))));
            candidate.launch.files.extend(copies);
        }
        Ok(candidate)
    }

    /// Looks at every directive of every file that is copied.
    fn walk<'s>(&'s self, look: &mut impl FnMut(&'s Source, &[&Directive], &Directive)) {
        for source in self.sources() {
            source
                .parsed
                .walk(&mut |above, directive| look(source, above, directive));
        }
    }

    fn ends_tls(&self) -> bool {
        let mut found = false;
        self.walk(&mut |_, _, directive| {
            found |= directive.is("listen") && has(directive, "ssl");
        });
        found
    }

    fn has(&self, name: &[u8]) -> bool {
        let mut found = false;
        self.main
            .parsed
            .walk(&mut |_, directive| found |= directive.name() == name);
        found
    }

    /// Nothing but the stage is connected to: the destinations that other sites have, as written, for which the copy has none.
    fn keeps_to(&self, sites: &Sites<'_>) -> Result<Vec<String>, DocumentError> {
        let mut unplugged = Vec::new();
        let mut wrong = None;
        self.walk(&mut |source, above, directive| {
            let Some(place) = directive.arguments().first() else {
                return;
            };
            if unconfined::is_of_another_protocol(above) {
                return;
            }
            let foreign = match directive.name() {
                // It gets nothing anyway.
                b"server" if has(directive, "down") => {
                    unplugged.push(place.text().into_owned());
                    None
                }
                b"server" if above.last().is_some_and(|up| up.is("upstream")) => {
                    not_an_upstream(source, place, sites)
                }
                b"proxy_pass" => leaves(source, place, sites),
                // Pages beside an API: nobody is asked for them.
                name if name.ends_with(b"_pass") && sites.is_beside_programs(above) => {
                    unplugged.push(place.text().into_owned());
                    None
                }
                name if name.ends_with(b"_pass") => Some(
                    source
                        .at(place, format!("`{}` leaves the stage", text_of(directive)))
                        .help("only `proxy_pass` to the deployment's upstreams can be staged"),
                ),
                _ => None,
            };
            if let Some(foreign) = foreign {
                if sites.is_elsewhere(source, above) {
                    unplugged.push(place.text().into_owned());
                } else {
                    wrong.get_or_insert(foreign);
                }
            }
        });
        wrong.map_or(Ok(unplugged), Err)
    }

    /// A listener that nobody opens would be waited for in vain.
    fn listens(&self, deployment: &Deployment) -> Result<(), DocumentError> {
        let mut open = Vec::new();
        self.walk(&mut |_, above, directive| {
            if unconfined::is_of_another_protocol(above) {
                return;
            }
            if let (true, Some(place)) = (directive.is("listen"), directive.arguments().first()) {
                open.push(address(&place.text()));
            }
            if is_site(directive) && copy::opens_the_usual_port(directive) {
                open.push(copy::USUAL_PORT.to_owned());
            }
        });
        for (protocol, listener) in &deployment.listeners {
            if !open.contains(&listener.address) {
                let ends_tls = self.ways_in(deployment).iter().any(WayIn::ends_tls);
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

fn not_an_upstream(source: &Source, word: &Word, sites: &Sites<'_>) -> Option<DocumentError> {
    let written = address(&word.text());
    if sites.is_program(&written) {
        return None;
    }
    let known = sites.programs.iter().map(String::as_str);
    let close = nearest(&written, known);
    let near = close.map_or_else(String::new, |near| format!("; did you mean `{near}`"));
    Some(
        source
            .at(
                word,
                format!("`{written}` is no upstream address of the deployment"),
            )
            .help(format!(
                "known are {}{near}; `--upstream cpa={written}` takes this one for it",
                sites.programs.join(" and ")
            )),
    )
}

fn leaves(source: &Source, url: &Word, sites: &Sites<'_>) -> Option<DocumentError> {
    let written = url.text();
    let goes_to = sites.goes_to(&written, INDIRECT);
    let mut places = goes_to.iter();
    let place = places.find(|place| {
        let program = sites.is_program(place);
        !program && !sites.groups.contains(place.as_str())
    })?;
    let help = match place.contains('$') {
        false => format!(
            "the name of an `upstream`, or one of {}; `--upstream cpa={place}` takes this one for it",
            sites.programs.join(" and ")
        ),
        true => "a `set` or a `map` has to say what its variables hold".to_owned(),
    };
    let message = format!("`{written}` leaves the stage");
    Some(source.at(url, message).help(help))
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
    if is_port(written) {
        format!("0.0.0.0:{written}")
    } else {
        written.to_owned()
    }
}

/// Whether an address ends with a port, as it is written.
fn has_port(written: &str) -> bool {
    written
        .rsplit_once(':')
        .is_some_and(|(_, port)| is_port(port))
}

fn is_port(written: &str) -> bool {
    !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit())
}

fn text_of(directive: &Directive) -> String {
    String::from_utf8_lossy(directive.name()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl OwnConfiguration {
        /// A file that says this, and includes nothing.
        pub(super) fn of_text(text: &str) -> Self {
            Self {
                folder: PathBuf::new(),
                main: Source::new(String::new(), text.as_bytes()).unwrap(),
                included: Vec::new(),
                missing: Vec::new(),
                lacking: Lacking::default(),
                maps: Maps::default(),
            }
        }
    }

    #[test]
    fn the_host_is_that_of_the_first_server_with_locations() {
        let served = "server { server_name _; return 421; } server { server_name *.b.test API.b.test; location / {} }";
        let host = |text| OwnConfiguration::of_text(text).host(&Deployment::cpa_two_hosts());
        assert_eq!(host(served).as_deref(), Some("api.b.test"));
        assert_eq!(host("server { server_name _; location / {} }"), None);
    }
}
