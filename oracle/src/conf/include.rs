use std::collections::HashMap;

use super::ast::{Directive, Document};
use super::error::SyntaxErrors;
use super::locate::{DirectivePath, LetterCase};
use super::span::{Position, Span};

/// How deep files may include each other; real ones stay below five.
pub const DEPTH_LIMIT: usize = 32;

/// How many files a configuration may have: a pattern that means a whole disk is a mistake.
pub const FILE_LIMIT: usize = 1000;

/// How many bytes the files of a configuration may have together.
pub const SIZE_LIMIT: usize = 16 << 20;

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
    /// Includes in includes beyond what this reader follows.
    #[error("files include each other more than {DEPTH_LIMIT} deep")]
    TooDeep,
    /// More files than this reader takes.
    #[error("more than {FILE_LIMIT} files are included")]
    TooMany,
    /// More text than this reader takes.
    #[error("the files are larger than {SIZE_LIMIT} bytes together")]
    TooLarge,
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
            bytes: 0,
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

    /// The directive whose words have this stretch of a file.
    pub fn directive_at(&self, file: usize, head: Span) -> Option<&Directive> {
        let mut found = None;
        let (_, document) = self.files.get(file)?;
        document.walk(&mut |_, directive| {
            if directive.head() == head {
                found = Some(directive);
            }
        });
        found
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
    /// Of all files that were included.
    bytes: usize,
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
            self.allow(&name, &text)?;
            if let Some(first) = self.open.iter().position(|open| *open == name) {
                let mut chain = self.open[first..].to_vec();
                chain.push(name);
                return Err(IncludeError::Loop { chain });
            }
            files.push(self.file(&name, text));
        }
        Ok(files)
    }

    fn allow(&mut self, name: &str, text: &[u8]) -> Result<(), IncludeError> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(IncludeError::TooDeep);
        }
        if self.by_name.contains_key(name) {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(text.len());
        match (self.bytes > SIZE_LIMIT, self.tree.files.len() >= FILE_LIMIT) {
            (true, _) => Err(IncludeError::TooLarge),
            (false, true) => Err(IncludeError::TooMany),
            (false, false) => Ok(()),
        }
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
