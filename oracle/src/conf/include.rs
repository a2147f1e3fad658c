use std::collections::{BTreeMap, HashMap};

use super::ast::{Directive, Document};
use super::error::SyntaxErrors;
use super::locate::{DirectivePath, LetterCase};
use super::span::{Position, Span};

/// Where the text of included files comes from: the oracle itself does no I/O.
pub trait Loader {
    /// The files an `include` names, in the order NGINX reads them (sorted by name).
    ///
    /// `pattern` is the argument as written; a relative one is relative to the folder of the main file, whichever
    /// file the directive is in. A pattern with `*`, `?` or `[` may match nothing.
    ///
    /// # Errors
    ///
    /// A name without wildcards that does not exist, or a file that cannot be read.
    fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError>;
}

/// Why an included file has no text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// There is none of that name.
    #[error("no such file")]
    Missing,
    /// It is there, but not to be had.
    #[error("{reason}")]
    Unreadable {
        /// The system's reason.
        reason: String,
    },
}

/// Files held in memory, by name; a `*` in an include matches any run of bytes but `/`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<String, Vec<u8>>,
}

impl Sources {
    /// No file: every `include` without wildcards is an error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    pub fn file(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.into(), text.into());
        self
    }
}

impl Loader for Sources {
    fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let found: Vec<_> = self
            .files
            .iter()
            .filter(|(name, _)| is_glob_match(pattern.as_bytes(), name.as_bytes()))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        match found.is_empty() && !is_glob(pattern) {
            true => Err(LoadError::Missing),
            false => Ok(found),
        }
    }
}

/// Whether an include's argument may match any number of files, as NGINX decides it.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

fn is_glob_match(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let longest = name
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(name.len());
            (0..=longest).any(|taken| is_glob_match(rest, &name[taken..]))
        }
        ([b'?', pattern @ ..], [_, name @ ..]) => is_glob_match(pattern, name),
        ([first, pattern @ ..], [other, name @ ..]) => {
            first == other && is_glob_match(pattern, name)
        }
        _ => false,
    }
}

/// A main file with everything it includes.
#[derive(Clone, Debug)]
pub struct Tree {
    files: Vec<(String, Document)>,
    /// By file and offset of the `include`: the files it stands for.
    includes: HashMap<(usize, u32), Vec<usize>>,
}

/// A directive of a [`Tree`], and its file.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Index of the file, for [`Tree::document`] and [`Tree::name`].
    pub file: usize,
    /// The directive.
    pub directive: &'a Directive,
}

/// Why a configuration cannot be read; all reasons come at once.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TreeError {
    /// A file that is not configuration.
    #[error("{file}: {errors}")]
    Syntax {
        /// Name of the file.
        file: String,
        /// The file, as far as it was understood: to render the errors with.
        document: Box<Document>,
        /// What is wrong with it.
        errors: SyntaxErrors,
    },
    /// An `include` that leads nowhere.
    #[error("{file}:{position}: {problem}")]
    Include {
        /// Name of the file the `include` is in.
        file: String,
        /// Where in it.
        position: Position,
        /// The same as a stretch.
        span: Span,
        /// What is wrong with it.
        problem: IncludeError,
    },
}

/// What can be wrong with an `include`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IncludeError {
    /// Not exactly one argument.
    #[error("invalid number of arguments in `include`, which takes one")]
    Arguments,
    /// The file is missing or cannot be read.
    #[error("cannot include `{pattern}`: {error}")]
    Load {
        /// The argument.
        pattern: String,
        /// The reason.
        error: LoadError,
    },
    /// A file that includes itself: NGINX would read until it runs out of descriptors.
    #[error("include loop: {}", .chain.join(" includes "))]
    Loop {
        /// The files, the first one again at the end.
        chain: Vec<String>,
    },
}

impl Tree {
    /// Reads a main file and everything it includes.
    ///
    /// # Errors
    ///
    /// Everything wrong in any of the files.
    pub fn load(
        name: &str,
        text: impl Into<Vec<u8>>,
        loader: &mut dyn Loader,
    ) -> Result<Self, Vec<TreeError>> {
        let mut reading = Reading {
            loader,
            tree: Self {
                files: Vec::new(),
                includes: HashMap::new(),
            },
            by_name: HashMap::new(),
            open: Vec::new(),
            errors: Vec::new(),
        };
        reading.file(name, text.into());
        match reading.errors.is_empty() {
            true => Ok(reading.tree),
            false => Err(reading.errors),
        }
    }

    /// A file that includes nothing, or whose includes do not matter.
    pub fn of(name: impl Into<String>, document: Document) -> Self {
        Self {
            files: vec![(name.into(), document)],
            includes: HashMap::new(),
        }
    }

    /// How many files there are; the main file is number 0.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Never: the main file is always there.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// A file by index.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    pub fn document(&self, file: usize) -> &Document {
        &self.files[file].1
    }

    /// The name of a file by index.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    pub fn name(&self, file: usize) -> &str {
        &self.files[file].0
    }

    /// `name:line` of a directive.
    pub fn place(&self, found: Found<'_>) -> String {
        let line = self.document(found.file).line(found.directive.head().start);
        format!("{}:{line}", self.name(found.file))
    }

    /// The directives at the top, those of included files in place of the `include`.
    pub fn top(&self) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        self.flatten(0, self.document(0).directives(), &mut found);
        found
    }

    /// The directives inside a block, those of included files in place of the `include`.
    pub fn children<'a>(&'a self, block: Found<'a>) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        self.flatten(block.file, block.directive.children(), &mut found);
        found
    }

    /// The directives a path means, in the order NGINX reads them.
    pub fn find(&self, path: &DirectivePath) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        for case in [LetterCase::Exact, LetterCase::Ignored] {
            if found.is_empty() {
                for top in self.top() {
                    self.search(top, &mut Vec::new(), &mut |outer, here| {
                        if path.matches(outer, here.directive, case) {
                            found.push(here);
                        }
                    });
                }
            }
        }
        found
    }

    fn search<'a>(
        &'a self,
        here: Found<'a>,
        outer: &mut Vec<&'a Directive>,
        visit: &mut dyn FnMut(&[&'a Directive], Found<'a>),
    ) {
        visit(outer, here);
        outer.push(here.directive);
        for child in self.children(here) {
            self.search(child, outer, visit);
        }
        outer.pop();
    }
}

impl Tree {
    fn flatten<'a>(&'a self, file: usize, directives: &'a [Directive], found: &mut Vec<Found<'a>>) {
        for directive in directives {
            match self.includes.get(&(file, directive.head().start)) {
                Some(included) => {
                    for file in included {
                        self.flatten(*file, self.files[*file].1.directives(), found);
                    }
                }
                None => found.push(Found { file, directive }),
            }
        }
    }
}

struct Reading<'a> {
    loader: &'a mut dyn Loader,
    tree: Tree,
    by_name: HashMap<String, usize>,
    /// The files being read, each included by the one before.
    open: Vec<String>,
    errors: Vec<TreeError>,
}

impl Reading<'_> {
    fn file(&mut self, name: &str, text: Vec<u8>) -> usize {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let (document, errors) = Document::recover(text);
        if let Some(errors) = errors {
            self.errors.push(TreeError::Syntax {
                file: name.to_owned(),
                document: Box::new(document.clone()),
                errors,
            });
        }
        let mut includes = Vec::new();
        document.walk(&mut |_, directive| {
            if directive.is("include") {
                let arguments: Vec<_> = directive
                    .arguments()
                    .iter()
                    .map(|word| word.text().into_owned())
                    .collect();
                includes.push((directive.head(), arguments));
            }
        });
        let index = self.tree.files.len();
        self.tree.files.push((name.to_owned(), document));
        self.by_name.insert(name.to_owned(), index);
        self.open.push(name.to_owned());
        for (span, arguments) in includes {
            match self.include(&arguments) {
                Ok(files) => {
                    self.tree.includes.insert((index, span.start), files);
                }
                Err(problem) => self.include_error(index, span, problem),
            }
        }
        self.open.pop();
        index
    }

    fn include(&mut self, arguments: &[String]) -> Result<Vec<usize>, IncludeError> {
        let [pattern] = arguments else {
            return Err(IncludeError::Arguments);
        };
        let loaded = self
            .loader
            .load(pattern)
            .map_err(|error| IncludeError::Load {
                pattern: pattern.clone(),
                error,
            })?;
        let mut files = Vec::new();
        for (name, text) in loaded {
            if let Some(first) = self.open.iter().position(|open| *open == name) {
                let mut chain = self.open[first..].to_vec();
                chain.push(name);
                return Err(IncludeError::Loop { chain });
            }
            files.push(self.file(&name, text));
        }
        Ok(files)
    }

    fn include_error(&mut self, file: usize, span: Span, problem: IncludeError) {
        let (name, document) = &self.tree.files[file];
        self.errors.push(TreeError::Include {
            file: name.clone(),
            position: document.position(span.start),
            span,
            problem,
        });
    }
}
