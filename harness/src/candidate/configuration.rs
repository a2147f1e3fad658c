//! The user's files and their private copies.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;

use super::{CopyPlaces, LaunchFile, Role, Secrets, Stages, address, template};
use crate::error::HarnessError;
use crate::hint;

/// The files of a staged candidate as the user wrote them, for pointing into them, and where their copies are.
#[derive(Clone, Debug)]
pub struct Configuration {
    directory: PathBuf,
    files: Vec<Arc<LaunchFile>>,
    addresses: Vec<(String, String)>,
    values: Value,
    stages: Stages,
    secrets: Secrets,
}

impl Configuration {
    pub(crate) fn new(
        directory: PathBuf,
        files: Vec<Arc<LaunchFile>>,
        addresses: Vec<(String, String)>,
        values: Value,
    ) -> Self {
        Self {
            directory,
            files,
            addresses,
            values,
            stages: Stages::All,
            secrets: Secrets::default(),
        }
    }

    /// With what no report may show.
    pub(crate) fn hiding(mut self, secrets: &Secrets) -> Self {
        self.secrets = secrets.clone();
        self
    }

    /// With what is inserted on these stages only.
    pub(crate) fn on(mut self, stages: Stages) -> Self {
        self.stages = stages;
        self
    }

    /// The files as the user wrote them, the main one first.
    #[must_use]
    pub fn files(&self) -> &[Arc<LaunchFile>] {
        &self.files
    }

    /// The private directory with the copies.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The first directive that begins with `words`, white space apart, and the file it stands in.
    ///
    /// The user's own files are searched before templates, which are the harness's frame around them.
    #[must_use]
    pub fn locate(&self, words: &str) -> Option<(&LaunchFile, hint::Place)> {
        let with_role = |role| self.files.iter().filter(move |file| file.role == role);
        with_role(Role::Native)
            .chain(with_role(Role::Template))
            .find_map(|file| Some((&**file, file.place_of(words)?)))
    }

    /// What a candidate said, with the user's file names in place of the private ones, and without secrets.
    pub(crate) fn in_users_terms(&self, line: &str) -> String {
        let directory = format!("{}/", self.directory.display());
        let mut line = line.to_owned();
        // The lines of a filled-in template are not those of the template: it keeps the name of its copy.
        for file in self.files.iter().filter(|file| file.role == Role::Native) {
            line = line.replace(&format!("{directory}{}", file.name), &file.origin);
        }
        self.secrets
            .masked(&line.replace(&directory, ""))
            .into_owned()
    }

    /// Writes every private copy.
    pub(crate) fn write(&self) -> Result<(), HarnessError> {
        self.files
            .iter()
            .try_for_each(|file| self.write_as(file, &file.text))
    }

    /// Writes one private copy from another text in the user's terms: what a person does before a reload.
    ///
    /// # Errors
    /// [`HarnessError::Document`] for a template that is wrong, [`HarnessError::System`] when it can't be written.
    ///
    /// # Panics
    /// When the configuration has no file of this name.
    pub fn rewrite(&self, name: &str, text: &str) -> Result<(), HarnessError> {
        let file = self.files.iter().find(|file| file.name == name);
        self.write_as(file.expect("the caller names one of `files`"), text)
    }

    fn write_as(&self, file: &LaunchFile, text: &str) -> Result<(), HarnessError> {
        let text = match file.role {
            Role::Template => template::render(&file.origin, text, &self.values)?,
            Role::Native => {
                let mut text = file.with_insertions(text, self.stages);
                if let Some(copy) = &file.private_copy {
                    text = copy.text(&text, self.places())?;
                }
                address::replace(&text, &self.addresses)
            }
        };
        let path = self.directory.join(&file.name);
        write_private(&path, &text).map_err(|cause| HarnessError::System {
            action: format!("write the private copy of `{}`", file.origin),
            cause,
        })
    }

    fn places(&self) -> CopyPlaces<'_> {
        CopyPlaces {
            directory: &self.directory,
        }
    }

    /// Fills arguments in.
    pub(crate) fn arguments(&self, templates: &[String]) -> Result<Vec<String>, HarnessError> {
        let fill = |text: &String| Ok(template::render("argument", text, &self.values)?);
        templates.iter().map(fill).collect()
    }
}

/// The candidate's certificate and its key, in the private directory.
pub(crate) const CERTIFICATE: &str = "certificate.pem";

/// A configuration may hold secrets: nobody else reads it, from its first byte on.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Candidate;

    fn configuration(candidate: &str) -> Configuration {
        let candidate = Candidate::named(candidate).unwrap();
        Configuration::new(
            PathBuf::from("/private"),
            candidate.launch.files,
            Vec::new(),
            Value::UNDEFINED,
        )
    }

    /// What the gallery's NGINX says of a finding, at its place.
    fn hint(code: &str) -> hint::Hint {
        let candidate = Candidate::named("nginx").unwrap();
        let hint = candidate.hint(code).unwrap();
        hint::Hint::resolve(hint, candidate.files())
    }

    #[test]
    fn a_hint_points_into_the_published_file() {
        let hint = hint("identity.forwarded_for_appended");
        assert_eq!(hint.address(), "published.conf:35");
        assert_eq!(
            hint.place.unwrap().source,
            "    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
        );
    }

    #[test]
    fn a_hint_without_a_place_names_the_users_file() {
        let hint = hint("lifecycle.stop_cuts_streams");
        assert_eq!(hint.address(), "published.conf");
    }

    #[test]
    fn what_the_candidate_says_is_about_the_users_file() {
        assert_eq!(
            configuration("nginx").in_users_terms("[emerg] x in /private/published.conf:38"),
            "[emerg] x in published.conf:38"
        );
    }
}
