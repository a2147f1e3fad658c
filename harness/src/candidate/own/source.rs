//! A file of a user's configuration, and what it includes.

use std::collections::BTreeSet;
use std::sync::Arc;

use proxyproof_oracle::conf::{self, Directive, Word};

use super::included::IncludedFiles;
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
    pub(super) fn new(origin: String, bytes: &[u8]) -> Result<Self, HarnessError> {
        // Comments come in any encoding; what is replaced has no meaning to the proxy.
        let text: Arc<str> = String::from_utf8_lossy(bytes).into();
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

/// Everything that a file includes, however deep, and the names of files that are not there.
pub(super) fn followed(
    main: &Source,
    files: &IncludedFiles,
) -> Result<(Vec<Group>, Vec<Missing>), HarnessError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut missing = Vec::new();
    let mut open = vec![main.clone()];
    let mut seen = BTreeSet::new();
    while let Some(source) = open.pop() {
        for word in source.includes() {
            let written = word.text().into_owned();
            if !seen.insert(written.clone()) {
                continue;
            }
            let found = files.of(&written);
            if found.len() > MOST {
                let message = format!("`{written}` includes more than {MOST} files");
                return Err(source.at(&word, message).into());
            }
            if found.is_empty() && written.rsplit('/').next() == Some("proxy_params") {
                groups.push(Group {
                    written,
                    number: groups.len() + 1,
                    sources: vec![Source::new(PROXY_PARAMS.0.to_owned(), PROXY_PARAMS.1)?],
                });
                continue;
            }
            if found.is_empty() && !conf::is_glob(&written) {
                let line = source.parsed.line(word.span.start);
                let place = format!("{}:{line}", source.origin);
                missing.push(Missing { written, place });
                continue;
            }
            let mut sources = Vec::new();
            for file in found {
                // What can't be read as a configuration can't be confined either.
                let text = file.text()?;
                sources.push(Source::new(file.name, &text)?);
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
    Ok((groups, missing))
}

/// A file that Debian's NGINX comes with and that people leave behind, and what it says.
pub(super) const PROXY_PARAMS: (&str, &[u8]) = (
    "Debian's proxy_params",
    b"proxy_set_header Host $http_host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
",
);

/// An `include` whose file is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) written: String,
    /// `file:line` of the `include`.
    pub(super) place: String,
}

/// More than any site has: a pattern that means a whole disk is a mistake.
const MOST: usize = 1000;
