//! Files that people write for us, and what is wrong with them at which place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;

/// One thing wrong in a TOML file, with everything a renderer needs to point at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// The file as the user named it, or the name of an embedded one.
    pub file: String,
    /// The whole text of the file.
    pub text: Arc<str>,
    /// Places in the text; the first is the one to blame. Empty when the whole file is.
    pub labels: Vec<Label>,
    /// What is wrong: a lower-case fragment without period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in a text and what to say there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Byte range in the text.
    pub span: Range<usize>,
    /// A few words.
    pub text: String,
}

impl DocumentError {
    /// About the whole file.
    #[must_use]
    pub fn about(file: &str, text: &str, message: impl Into<String>) -> Self {
        Document::new(file, text).lacks(message)
    }

    /// Line and column (both from 1, the column in characters) of the first label.
    #[must_use]
    pub fn position(&self) -> Option<(usize, usize)> {
        let start = self.labels.first()?.span.start.min(self.text.len());
        let before = self.text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        let line = before.matches('\n').count() + 1;
        Some((line, before.get(line_start..)?.chars().count() + 1))
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position() {
            Some((line, column)) => {
                write!(formatter, "{}:{line}:{column}: {}", self.file, self.message)
            }
            None => write!(formatter, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for DocumentError {}

/// Reads a file of a type that says itself what it holds.
///
/// # Errors
/// [`DocumentError`] with the place where the text is no TOML, or none of that type.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, DocumentError> {
    Document::new(file, text).parse()
}

/// A text that is being read.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    file: String,
    text: Arc<str>,
}

impl Document {
    pub(crate) fn new(file: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            text: text.into(),
        }
    }

    /// Reads the TOML, without looking at what it means.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        toml::from_str(&self.text).map_err(|error| self.unreadable(&error))
    }

    pub(crate) fn error(
        &self,
        span: Range<usize>,
        label: impl Into<String>,
        message: impl Into<String>,
    ) -> DocumentError {
        DocumentError {
            file: self.file.clone(),
            text: Arc::clone(&self.text),
            labels: vec![Label {
                span,
                text: label.into(),
            }],
            message: message.into(),
            help: None,
        }
    }

    /// An error about something that is not there, so that no place can be shown.
    pub(crate) fn lacks(&self, message: impl Into<String>) -> DocumentError {
        DocumentError {
            labels: Vec::new(),
            ..self.error(0..0, "", message)
        }
    }

    fn unreadable(&self, error: &toml::de::Error) -> DocumentError {
        let message = error.message().lines().next().unwrap_or("not TOML");
        let found = match error.span() {
            // A missing field is reported at the table that lacks it, which may be the whole file.
            Some(span) if span.start < span.end && span != (0..self.text.len()) => {
                self.error(span, "here", message)
            }
            Some(span) if span.start < self.text.len() && span.start > 0 => {
                self.error(span.start..span.start + 1, "here", message)
            }
            _ => self.lacks(message),
        };
        match suggestion(message) {
            Some(help) => found.help(help),
            None => found,
        }
    }
}

/// The word among `known` that was probably meant by `written`.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(written, word), word))
        .filter(|(likeness, _)| *likeness > LIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, word)| word)
}

/// serde says: unknown field `x`, expected one of `a`, `b`.
fn suggestion(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once(", expected ")?;
    if !unknown.starts_with("unknown ") {
        return None;
    }
    let written = unknown.split('`').nth(1)?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    match nearest(written, known.iter().copied()) {
        Some(word) => Some(format!("did you mean `{word}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}

/// Below this, two words have little in common.
const LIKE: f64 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_a_like_one() {
        assert_eq!(nearest("upstrem", ["upstream", "route"]), Some("upstream"));
        assert_eq!(nearest("zzz", ["upstream", "route"]), None);
    }
}
