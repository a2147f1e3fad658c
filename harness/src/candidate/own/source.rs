//! A file of a user's configuration, and what it includes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proxyproof_oracle::conf::{self, Directive, Word};

use crate::candidate::user_file::refusal;
use crate::document::{Document, DocumentError};
use crate::error::HarnessError;

/// One file, read and not changed.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The file as the user would name it.
    pub(super) origin: String,
    pub(super) text: Arc<str>,
    pub(super) parsed: conf::Document,
}

/// The files that one `include` reads: they may listen, connect, log, and be what a finding is about.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The argument as it is written.
    pub(super) written: String,
    /// Which one it is, from 1.
    number: usize,
    /// In the order in which NGINX reads them.
    pub(super) sources: Vec<Source>,
}

impl Source {
    pub(super) fn read(path: &Path) -> Result<Self, HarnessError> {
        let origin = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|cause| HarnessError::Unreadable {
            file: origin.clone(),
            cause,
        })?;
        // Comments come in any encoding; what is replaced has no meaning to the proxy.
        let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
        let parsed = conf::Document::parse(text.as_bytes()).map_err(|errors| {
            let first = &errors.errors[0];
            let document = Document::new(&*origin, Arc::clone(&text));
            let span = first.span.start as usize..first.span.end as usize;
            document
                .error(span, "here", first.problem.to_string())
                .help(format!("expected {}", first.problem.expected()))
        })?;
        Ok(Self {
            origin,
            text,
            parsed,
        })
    }

    pub(super) fn at(&self, word: &Word, message: impl Into<String>) -> DocumentError {
        let document = Document::new(&*self.origin, Arc::clone(&self.text));
        let span = word.span.start as usize..word.span.end as usize;
        document.error(span, "here", message)
    }

    /// A directive that no private copy can confine to the stage.
    pub(super) fn refused(&self, directive: &Directive, message: String) -> DocumentError {
        let span = directive.span();
        let end = span.start as usize + directive.name().len();
        let document = Document::new(&*self.origin, Arc::clone(&self.text));
        refusal(&document, span.start as usize..end, message)
    }

    pub(super) fn lacks(&self, message: impl Into<String>) -> DocumentError {
        Document::new(&*self.origin, Arc::clone(&self.text)).lacks(message)
    }

    fn includes(&self) -> Vec<Word> {
        let mut includes = Vec::new();
        self.parsed.walk(&mut |_, directive: &Directive| {
            if let (true, Some(file)) = (directive.is("include"), directive.arguments().first()) {
                includes.push(file.clone());
            }
        });
        includes
    }
}

impl Group {
    /// What the private copies are called, as an `include` names them.
    pub(super) fn pattern(&self) -> String {
        format!("included-{}-*.conf", self.number)
    }

    /// What the private copy of one of its sources is called: in the order of the names, as `include` reads them.
    pub(super) fn name(&self, index: usize) -> String {
        format!("included-{}-{index:04}.conf", self.number)
    }
}

/// Everything that a file includes, however deep.
///
/// NGINX looks for included files from the folder of its main file, whichever file includes them.
pub(super) fn followed(main: &Source, folder: &Path) -> Result<Vec<Group>, HarnessError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut open = vec![main.clone()];
    let mut seen = BTreeSet::new();
    while let Some(source) = open.pop() {
        for word in source.includes() {
            let written = word.text().into_owned();
            if !seen.insert(written.clone()) {
                continue;
            }
            let files = files(&source, &word, folder)?;
            if files.len() > MOST {
                let message = format!("`{written}` includes more than {MOST} files");
                return Err(source.at(&word, message).into());
            }
            let mut sources = Vec::new();
            for file in &files {
                // What can't be read as a configuration can't be confined either.
                sources.push(Source::read(file)?);
            }
            if !sources.is_empty() {
                open.extend(sources.iter().cloned());
                groups.push(Group {
                    written,
                    number: groups.len() + 1,
                    sources,
                });
            }
        }
    }
    Ok(groups)
}

/// The files that an `include` means, in NGINX's order: by name.
fn files(source: &Source, word: &Word, folder: &Path) -> Result<Vec<PathBuf>, DocumentError> {
    let pattern = folder.join(&*word.text());
    let pattern = pattern.to_string_lossy().into_owned();
    let mut files: Vec<PathBuf> = match glob::glob(&pattern) {
        Ok(found) => found.flatten().filter(|file| file.is_file()).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    if files.is_empty() && !pattern.contains(['*', '?', '[']) {
        let message = format!("`{}` is not there", word.text());
        return Err(source.at(word, message).help(
            "includes are looked for beside the configuration; a path of its own begins with `/`",
        ));
    }
    Ok(files)
}

/// More than any site has: a pattern that means a whole disk is a mistake.
const MOST: usize = 1000;
