//! The candidates that come with the executable, and folders of others.

use std::path::{Path, PathBuf};

use super::Candidate;
use super::manifest::{Folder, MANIFEST, Manifest};
use crate::document::DocumentError;
use crate::error::HarnessError;

/// Manifests with their files, embedded; a folder given by path wins.
#[derive(Clone, Copy, Debug)]
pub struct Gallery {
    folders: &'static [Embedded],
}

#[derive(Clone, Copy, Debug)]
struct Embedded {
    name: &'static str,
    /// Names and texts, the manifest first.
    files: &'static [(&'static str, &'static str)],
}

macro_rules! embedded {
    ($name:literal: $($file:literal),+) => {
        Embedded {
            name: $name,
            files: &[$(($file, include_str!(concat!("../../../candidates/", $name, "/", $file)))),+],
        }
    };
}

const EMBEDDED: &[Embedded] = &[
    embedded!("reference": "candidate.toml", "reference.toml.j2"),
    embedded!("nginx": "candidate.toml", "nginx.conf.j2", "maps.conf", "published.conf", "corrected.conf", "site.conf.j2", "routes.conf.j2"),
    embedded!("haproxy": "candidate.toml", "haproxy.cfg.j2", "exact.map.j2", "prefix.map.j2", "expression.map.j2", "final.map.j2"),
    embedded!("caddy": "candidate.toml", "Caddyfile.j2"),
    embedded!("apache": "candidate.toml", "apache.conf.j2"),
];

impl Gallery {
    /// The gallery of this executable.
    #[must_use]
    pub const fn embedded() -> Self {
        Self { folders: EMBEDDED }
    }

    /// Every candidate of the gallery.
    ///
    /// # Errors
    /// None in practice: the embedded manifests are read by a test.
    pub fn candidates(&self) -> Result<Vec<Candidate>, HarnessError> {
        let mut candidates = Vec::new();
        for folder in self.folders {
            candidates.extend(folder.candidates()?);
        }
        Ok(candidates)
    }

    /// The candidates of the manifest that a member is in: the same proxy with other configurations.
    ///
    /// # Errors
    /// [`HarnessError::UnknownCandidate`].
    pub(crate) fn family(&self, name: &str) -> Result<Vec<Candidate>, HarnessError> {
        for folder in self.folders {
            let candidates = folder.candidates()?;
            if candidates.iter().any(|candidate| candidate.name == name) {
                return Ok(candidates);
            }
        }
        Ok(vec![self.candidate(name)?])
    }

    /// Takes a member by name, or a folder by path.
    ///
    /// # Errors
    /// [`HarnessError::UnknownCandidate`] with what could have been meant, [`HarnessError::Document`] for a manifest
    /// that is wrong, [`HarnessError::Unreadable`] for one that can't be read.
    pub fn candidate(&self, name: &str) -> Result<Candidate, HarnessError> {
        let path = Path::new(name);
        if name.contains('/') || path.join(MANIFEST).is_file() {
            return Directory::new(path).candidate();
        }
        let mut candidates = self.candidates()?;
        match candidates.iter().position(|other| other.name == name) {
            Some(index) => Ok(candidates.swap_remove(index)),
            None => Err(HarnessError::UnknownCandidate {
                name: name.to_owned(),
                known: candidates.into_iter().map(|other| other.name).collect(),
            }),
        }
    }
}

impl Embedded {
    fn candidates(&self) -> Result<Vec<Candidate>, DocumentError> {
        let manifest = self.text(MANIFEST).unwrap_or_default();
        Manifest::new(&manifest, self).candidates()
    }
}

impl Folder for Embedded {
    fn text(&self, name: &str) -> Result<String, String> {
        self.files
            .iter()
            .find(|(file, _)| *file == name)
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "not embedded".to_owned())
    }

    /// A reader knows the proxy by the report's title; the file's own name is what they look for.
    fn origin(&self, name: &str) -> String {
        match name {
            MANIFEST => format!("candidates/{}/{name}", self.name),
            _ => name.to_owned(),
        }
    }
}

struct Directory {
    path: PathBuf,
}

impl Directory {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The folder's first candidate; a variant is `folder:variant` in the gallery only.
    fn candidate(&self) -> Result<Candidate, HarnessError> {
        let manifest = self.path.join(MANIFEST);
        let text =
            std::fs::read_to_string(&manifest).map_err(|cause| HarnessError::Unreadable {
                file: manifest.display().to_string(),
                cause,
            })?;
        let mut candidates = Manifest::new(&text, self).candidates()?;
        let mut candidate = candidates.swap_remove(0);
        let binary = &candidate.launch.binary;
        // A name alone is looked for where programs are; a path is the folder's.
        if binary.is_relative() && binary.components().count() > 1 {
            let folder = self.path.canonicalize();
            candidate.launch.binary = folder.unwrap_or_else(|_| self.path.clone()).join(binary);
        }
        Ok(candidate)
    }
}

impl Folder for Directory {
    fn text(&self, name: &str) -> Result<String, String> {
        std::fs::read_to_string(self.path.join(name)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => error.to_string(),
        })
    }

    fn origin(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Role;
    use crate::hint::Place;

    fn named(name: &str) -> Candidate {
        Gallery::embedded().candidate(name).unwrap()
    }

    #[test]
    fn every_member_is_read() {
        let candidates = Gallery::embedded().candidates().unwrap();
        let names: Vec<&str> = candidates.iter().map(|other| &*other.name).collect();
        assert_eq!(
            names,
            [
                "reference",
                "nginx",
                "nginx-corrected",
                "nginx-template",
                "haproxy",
                "caddy",
                "apache"
            ]
        );
    }

    #[test]
    fn every_directive_that_a_hint_names_is_in_a_file() {
        let texts: Vec<String> = ["nginx", "reference"]
            .into_iter()
            .flat_map(|name| named(name).launch.files)
            .map(|file| file.text.clone())
            .collect();
        for hint in [named("nginx").hints, named("reference").hints].concat() {
            let found = texts.iter().any(|text| Place::of(&hint.at, text).is_some());
            assert!(hint.at.is_empty() || found, "{hint:?}");
        }
    }

    #[test]
    fn the_users_file_is_native() {
        for (name, file) in [
            ("nginx", "published.conf"),
            ("nginx-corrected", "corrected.conf"),
        ] {
            let files = named(name).launch.files;
            let native = files.iter().find(|file| file.role == Role::Native);
            assert_eq!(native.unwrap().origin, file);
        }
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = Gallery::embedded().candidate("ngnix").unwrap_err();
        let HarnessError::UnknownCandidate { known, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            known,
            &[
                "reference",
                "nginx",
                "nginx-corrected",
                "nginx-template",
                "haproxy",
                "caddy",
                "apache"
            ]
        );
        let error = Gallery::embedded()
            .candidate("./no-such-folder")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "can't read `./no-such-folder/candidate.toml`"
        );
    }
}
