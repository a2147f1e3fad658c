use std::fmt;

use pcre2::bytes::{Regex as Compiled, RegexBuilder};

/// A regular expression as NGINX uses it: PCRE2, on bytes, without UTF mode.
#[derive(Clone)]
pub struct Regex {
    pattern: String,
    letter_case: RegexCase,
    compiled: Compiled,
}

/// Whether letters match those of the other case.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RegexCase {
    /// `~`
    Exact,
    /// `~*`
    Ignored,
}

/// Why a pattern is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid regular expression `{pattern}`: {reason}")]
pub struct RegexError {
    /// The pattern.
    pub pattern: String,
    /// PCRE2's message, with the offset where it has one.
    pub reason: String,
}

/// PCRE2 gave up on a subject (its match or heap limit): NGINX answers 500 then.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("the regular expression gave up: {reason}")]
pub struct MatchError {
    /// PCRE2's message.
    pub reason: String,
}

/// The stretches a match captured: group 0 is all of it.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

impl Regex {
    /// Compiles a pattern with the options NGINX gives.
    ///
    /// # Errors
    ///
    /// What PCRE2 refuses. A pattern that is not UTF-8 is refused here: the library's interface takes text.
    pub fn new(pattern: &[u8], letter_case: RegexCase) -> Result<Self, RegexError> {
        let error = |reason: String| RegexError {
            pattern: String::from_utf8_lossy(pattern).into_owned(),
            reason,
        };
        let text =
            std::str::from_utf8(pattern).map_err(|_| error("the pattern is not UTF-8".into()))?;
        let compiled = RegexBuilder::new()
            .caseless(letter_case == RegexCase::Ignored)
            .build(text)
            .map_err(|failure| error(failure.to_string()))?;
        Ok(Self {
            pattern: text.to_owned(),
            letter_case,
            compiled,
        })
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether letters match those of the other case.
    pub fn letter_case(&self) -> RegexCase {
        self.letter_case
    }

    /// Whether it matches somewhere in the subject.
    ///
    /// # Errors
    ///
    /// When PCRE2 gives up.
    pub fn is_match(&self, subject: &[u8]) -> Result<bool, MatchError> {
        self.compiled.is_match(subject).map_err(gave_up)
    }

    pub(crate) fn captures(&self, subject: &[u8]) -> Result<Option<Groups>, MatchError> {
        let found = self.compiled.captures(subject).map_err(gave_up)?;
        Ok(found.map(|captures| {
            (0..captures.len())
                .map(|group| {
                    captures
                        .get(group)
                        .map(|stretch| (stretch.start(), stretch.end()))
                })
                .collect()
        }))
    }

    /// The names of the groups, by number.
    pub(crate) fn names(&self) -> &[Option<String>] {
        self.compiled.capture_names()
    }
}

fn gave_up(error: pcre2::Error) -> MatchError {
    MatchError {
        reason: error.to_string(),
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Regex")
            .field("pattern", &self.pattern)
            .field("letter_case", &self.letter_case)
            .finish_non_exhaustive()
    }
}
