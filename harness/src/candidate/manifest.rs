//! The candidates of a manifest.

mod raw;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;

use self::raw::{Raw, RawEdition, RawFile, RawGaps, RawKind, RawLaunch, RawReadiness, RawVariant};
use super::launch::{Insertion, LaunchKind};
use super::{
    Candidate, Edition, Hint, KnownGap, Launch, LaunchFile, Occurrence, Readiness, Role, Secrets,
    template,
};
use crate::deployment::size::time;
use crate::document::{Document, DocumentError};

/// Where the files of a manifest are.
pub(crate) trait Folder {
    /// The text of a file beside the manifest; the error is a phrase such as "no such file".
    fn text(&self, name: &str) -> Result<String, String>;

    /// The file as the user would name it.
    fn origin(&self, name: &str) -> String;
}

/// The name of a manifest in its folder.
pub(crate) const MANIFEST: &str = "candidate.toml";

/// A manifest that is being read.
pub(crate) struct Manifest<'a> {
    document: Document,
    folder: &'a dyn Folder,
}

impl<'a> Manifest<'a> {
    pub(crate) fn new(text: &str, folder: &'a dyn Folder) -> Self {
        Self {
            document: Document::new(folder.origin(MANIFEST), text),
            folder,
        }
    }

    /// The manifest's own candidate, then its variants.
    pub(crate) fn candidates(&self) -> Result<Vec<Candidate>, DocumentError> {
        let raw: Raw = self.document.parse()?;
        let main = self.main(&raw)?;
        let mut candidates = vec![main];
        for variant in &raw.variants {
            let candidate = self.variant(variant, &candidates[0])?;
            if candidates.iter().any(|other| other.name == candidate.name) {
                let message = format!("two candidates are called `{}`", candidate.name);
                return Err(self.at(&variant.name, "again", message));
            }
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    fn main(&self, raw: &Raw) -> Result<Candidate, DocumentError> {
        Ok(Candidate {
            name: self.name(&raw.name)?,
            about: raw.about.clone(),
            version: None,
            launch: self.launch(raw)?,
            features: raw.features.iter().copied().collect(),
            known: self.gaps(&raw.known, &raw.sometimes)?,
            hints: self.hints(&raw.hints)?,
            remedies: raw.remedies.clone(),
            secrets: Secrets::default(),
            in_force: None,
            editions: self.editions(&raw.editions)?,
            defects: Vec::new(),
        })
    }

    fn variant(&self, raw: &RawVariant, main: &Candidate) -> Result<Candidate, DocumentError> {
        let mut candidate = main.clone();
        candidate.name = self.name(&raw.name)?;
        candidate.about.clone_from(&raw.about);
        if let Some(features) = &raw.features {
            candidate.features = features.iter().copied().collect::<BTreeSet<_>>();
        }
        if let Some(arguments) = &raw.arguments {
            candidate.launch.arguments = self.templates(arguments)?;
        }
        if let Some(validate) = &raw.validate {
            candidate.launch.validate = Some(self.templates(validate)?);
        }
        if !raw.files.is_empty() {
            candidate.launch.files = self.files(&raw.files)?;
        }
        if let Some(known) = &raw.known {
            candidate.known = self.known(known, Occurrence::Always)?;
        }
        candidate.editions.extend(self.editions(&raw.editions)?);
        // The variant's own come first: the first that answers is taken.
        candidate.hints.splice(0..0, self.hints(&raw.hints)?);
        Ok(candidate)
    }

    fn launch(&self, raw: &Raw) -> Result<Launch, DocumentError> {
        let launch = &raw.launch;
        let files = self.files(&raw.files)?;
        if files.is_empty() {
            return Err(self
                .document
                .lacks("no file: the candidate has no configuration")
                .help("add `[[file]]` with `name = \"proxy.conf\"`"));
        }
        Ok(Launch {
            kind: match launch.kind {
                RawKind::Process => LaunchKind::Process,
                RawKind::Embedded => LaunchKind::Embedded,
            },
            language: launch.language,
            container: launch.container.clone(),
            binary: self.binary(launch)?,
            arguments: self.templates(&launch.arguments)?,
            version: launch.version.clone(),
            validate: match &launch.validate {
                Some(arguments) => Some(self.templates(arguments)?),
                None => None,
            },
            files,
            signals: launch.signals,
            log: launch.log.clone(),
            readiness: self.readiness(&launch.readiness)?,
        })
    }

    fn binary(&self, launch: &RawLaunch) -> Result<PathBuf, DocumentError> {
        match (launch.kind, &launch.binary) {
            (RawKind::Process, Some(binary)) if !binary.get_ref().trim().is_empty() => {
                Ok(PathBuf::from(binary.get_ref()))
            }
            (RawKind::Process, _) => Err(self
                .document
                .lacks("`launch` has no binary: nothing can be started")
                .help("add `binary = \"…\"` to `[launch]`: a name on the PATH, or a path")),
            (RawKind::Embedded, None) => Ok(PathBuf::new()),
            (RawKind::Embedded, Some(binary)) => Err(self
                .at(binary, "not used", "an embedded candidate has no binary")
                .help("delete it, or write `kind = \"process\"`")),
        }
    }

    fn readiness(&self, raw: &RawReadiness) -> Result<Readiness, DocumentError> {
        if let Some(target) = &raw.target
            && !target.get_ref().starts_with('/')
        {
            let message = format!("`{}` is no path", target.get_ref());
            return Err(self
                .at(target, "must start with `/`", message)
                .help("a path that the deployment sends to an upstream, as in `/`"));
        }
        let within = match &raw.within {
            None => None,
            Some(text) => Some(time(text.get_ref()).ok_or_else(|| {
                self.at(text, "no time", format!("`{}` is no time", text.get_ref()))
                    .help("digits and `ms`, `s`, `m`, `h` or `d`, as in `30s`")
            })?),
        };
        Ok(Readiness {
            target: raw.target.as_ref().map(|target| target.get_ref().clone()),
            within,
        })
    }

    fn files(&self, raw: &[RawFile]) -> Result<Vec<Arc<LaunchFile>>, DocumentError> {
        let mut files: Vec<Arc<LaunchFile>> = Vec::new();
        for file in raw {
            let name = self.file_name(&file.name)?;
            let from = match &file.from {
                Some(from) => self.file_name(from)?,
                None => name.clone(),
            };
            if files.iter().any(|other| other.name == name) {
                return Err(self.at(&file.name, "again", format!("two files become `{name}`")));
            }
            let place = file.from.as_ref().unwrap_or(&file.name);
            let text = self.folder.text(&from).map_err(|why| {
                self.at(place, "this one", format!("can't read `{from}`: {why}"))
                    .help("files stand beside the manifest")
            })?;
            let origin = self.folder.origin(&from);
            if file.role == Role::Template {
                template::check(&origin, &text)?;
            }
            files.push(Arc::new(LaunchFile {
                name,
                origin,
                insertions: self.insertions(file, &text)?,
                text,
                role: file.role,
                deployment: self.deployment_of(file)?,
                private_copy: None,
            }));
        }
        Ok(files)
    }

    /// A template is filled in with any deployment; a proxy's own language has one written into it.
    fn deployment_of(&self, file: &RawFile) -> Result<Option<String>, DocumentError> {
        match (&file.deployment, file.role) {
            (None, _) => Ok(None),
            (Some(name), Role::Native) => Ok(Some(name.get_ref().clone())),
            (Some(name), Role::Template) => Err(self
                .at(name, "here", "a template is for every deployment")
                .help("delete it, or write `role = \"native\"`")),
        }
    }

    fn insertions(&self, file: &RawFile, text: &str) -> Result<Vec<Insertion>, DocumentError> {
        file.insertions
            .iter()
            .map(|raw| {
                let insertion = raw.get_ref();
                if insertion.text.contains('\n') {
                    return Err(self.at(raw, "this one", "an insertion would move lines"));
                }
                if insertion.after.is_empty() || !text.contains(&insertion.after) {
                    let message = format!("`{}` is not in the file", insertion.after);
                    return Err(self.at(raw, "this one", message));
                }
                Ok(insertion.clone())
            })
            .collect()
    }

    /// A name without folders: private copies lie side by side, so that relative includes hold.
    fn file_name(&self, name: &Spanned<String>) -> Result<String, DocumentError> {
        let text = name.get_ref();
        if text.is_empty() || text.starts_with('.') || text.contains(['/', '\\', '\n']) {
            let message = format!("`{text}` is no name of a file beside the manifest");
            return Err(self.at(name, "here", message));
        }
        Ok(text.clone())
    }

    fn name(&self, name: &Spanned<String>) -> Result<String, DocumentError> {
        let text = name.get_ref();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_plain) {
            return Err(self
                .at(name, "here", format!("`{text}` is no name of a candidate"))
                .help("letters, digits, `-`, `_` and `.`"));
        }
        Ok(text.clone())
    }

    fn templates(&self, arguments: &[Spanned<String>]) -> Result<Vec<String>, DocumentError> {
        arguments
            .iter()
            .map(|argument| match template::fault(argument.get_ref()) {
                None => Ok(argument.get_ref().clone()),
                Some(fault) => Err(self.at(argument, fault, "an argument is no template")),
            })
            .collect()
    }

    fn editions(&self, raw: &[Spanned<RawEdition>]) -> Result<Vec<Edition>, DocumentError> {
        let version = |text: &Option<Spanned<String>>| match text {
            None => Ok(None),
            Some(text) => text.get_ref().parse().map(Some).map_err(|_none| {
                self.at(text, "here", format!("`{}` is no version", text.get_ref()))
                    .help("numbers with dots between, as in `2.7`")
            }),
        };
        raw.iter()
            .map(|edition| {
                let RawEdition {
                    since,
                    before,
                    listener,
                    features,
                    known,
                    sometimes,
                } = edition.get_ref();
                if since.is_none() && before.is_none() && listener.is_none() {
                    return Err(self
                        .at(edition, "this one", "it holds of every version")
                        .help("`since = \"2.7\"`, `before = \"2.7\"`, or both"));
                }
                if listener.is_some() && !features.is_empty() {
                    let message = "a feature does not depend on the site's listeners";
                    return Err(self.at(edition, "this one", message));
                }
                let mut known = self.gaps(known, sometimes)?;
                known.iter_mut().for_each(|gap| gap.listener = *listener);
                Ok(Edition {
                    since: version(since)?,
                    before: version(before)?,
                    features: features.clone(),
                    known,
                })
            })
            .collect()
    }

    fn gaps(&self, always: &RawGaps, sometimes: &RawGaps) -> Result<Vec<KnownGap>, DocumentError> {
        Ok([
            self.known(always, Occurrence::Always)?,
            self.known(sometimes, Occurrence::Sometimes)?,
        ]
        .concat())
    }

    fn known(&self, raw: &RawGaps, occurrence: Occurrence) -> Result<Vec<KnownGap>, DocumentError> {
        raw.iter()
            .map(|(pattern, reason)| {
                if reason.get_ref().trim().is_empty() {
                    return Err(self
                        .at(reason, "empty", "a known gap without a reason")
                        .help("a sentence that says why this proxy can't do it"));
                }
                let entry = pattern.get_ref().split_once(' ');
                let Some((scenarios, finding)) = entry else {
                    let message = "a known gap without its finding";
                    return Err(self.at(pattern, "this one", message).help(
                        "write the code behind the scenario, as in `\"upload/intact@*h1 upload.damaged\"`; another \
                         finding of the same scenario is no gap",
                    ));
                };
                Ok(KnownGap {
                    pattern: scenarios.to_owned(),
                    finding: finding.trim().to_owned(),
                    reason: reason.get_ref().clone(),
                    occurrence,
                    listener: None,
                })
            })
            .collect()
    }

    fn hints(&self, raw: &[Spanned<Hint>]) -> Result<Vec<Hint>, DocumentError> {
        raw.iter()
            .map(|hint| {
                let Hint {
                    finding, change, ..
                } = hint.get_ref();
                let patterns = finding.all();
                let is_blank = |text: &String| text.trim().is_empty();
                if patterns.is_empty() || patterns.iter().any(is_blank) || is_blank(change) {
                    let message = "a hint needs a finding and a change";
                    return Err(self.at(hint, "this one", message));
                }
                Ok(hint.get_ref().clone())
            })
            .collect()
    }

    fn at<T>(
        &self,
        place: &Spanned<T>,
        label: impl Into<String>,
        message: impl Into<String>,
    ) -> DocumentError {
        self.document.error(place.span(), label, message)
    }
}

/// The JSON Schema (draft 2020-12) of a `candidate.toml`, indented.
#[must_use]
pub fn manifest_schema() -> String {
    crate::schema::text_of::<Raw>()
}

#[cfg(test)]
mod tests;
