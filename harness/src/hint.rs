//! What to change in the candidate's own configuration, with the place.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::candidate::{self, LaunchFile, Role};

/// A change that mends a finding, at its place in the user's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hint {
    /// The file as the user knows it; empty when the change belongs to no file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The place in it, unless the directive has to be added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Whether the change is added inside the block at the place, and replaces nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within: bool,
    /// What the directive does wrong, as a fragment.
    pub because: String,
    /// What to write there instead, or to add.
    pub change: String,
}

/// One directive in a configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters: the first one of the part that is wrong.
    pub column: usize,
    /// How many characters are wrong.
    pub width: usize,
    /// The whole line as it stands in the file.
    pub source: String,
}

impl Hint {
    /// A candidate's hint at its place in the user's files, the proxy's own before templates; without a place where the
    /// directive is not there, as when it has to be added.
    pub fn resolve(hint: &candidate::Hint, files: &[Arc<LaunchFile>]) -> Self {
        let with_role = |role| files.iter().filter(move |file| file.role == role);
        let mut own_first = with_role(Role::Native).chain(with_role(Role::Template));
        let first = own_first.clone().next();
        let found = own_first.find_map(|file| Some((file, file.place_of(&hint.at)?)));
        let (file, place) = match found {
            Some((file, place)) => (Some(file), Some(place)),
            None => (first, None),
        };
        Self {
            file: file.map(|file| file.origin.clone()).unwrap_or_default(),
            place,
            within: false,
            because: hint.because.clone(),
            change: hint.change.clone(),
        }
    }

    /// `file:line`, `file`, or nothing: how summaries refer to it.
    pub fn address(&self) -> String {
        match &self.place {
            Some(place) => format!("{}:{}", self.file, place.line),
            None => self.file.clone(),
        }
    }
}

impl Place {
    /// The first directive in `text` that begins with the words of `directive`, white space apart.
    ///
    /// What is marked is the rest of the directive on that line, or the words themselves when nothing follows them.
    /// Comments (from `#` to the end of the line) are passed over.
    pub fn of(directive: &str, text: &str) -> Option<Self> {
        let wanted: Vec<&str> = directive.split_whitespace().collect();
        let words = words(text);
        let first = (!wanted.is_empty())
            .then(|| {
                words
                    .windows(wanted.len())
                    .find(|window| begins(window, &wanted))
            })
            .flatten()?;
        let (from, last) = (first[0], first[wanted.len() - 1]);
        let source = text.lines().nth(last.line)?;
        Some(Self::marking(
            source,
            last.line,
            if from.line == last.line {
                from.start
            } else {
                last.start
            },
            last,
        ))
    }

    fn marking(source: &str, line: usize, from: usize, last: Word<'_>) -> Self {
        let value = source[last.start + last.text.len()..]
            .split(['#', ';', '{'])
            .next()
            .unwrap_or_default();
        let rest = value.trim();
        let ended = last.text.ends_with([';', '{']);
        let (start, marked) = if rest.is_empty() || ended {
            (
                from,
                source[from..last.start + last.text.len()].trim_end_matches([';', '{']),
            )
        } else {
            (
                last.start + last.text.len() + value.len() - value.trim_start().len(),
                rest,
            )
        };
        Self {
            line: line + 1,
            column: source[..start].chars().count() + 1,
            width: marked.chars().count().max(1),
            source: source.to_owned(),
        }
    }
}

/// A run of characters that are not white space, outside comments.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    /// 0-based.
    line: usize,
    /// Byte offset in the line.
    start: usize,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    for (line, source) in text.lines().enumerate() {
        let code = source.find('#').map_or(source, |at| &source[..at]);
        for text in code.split_whitespace() {
            words.push(Word {
                text,
                line,
                start: text.as_ptr() as usize - source.as_ptr() as usize,
            });
        }
    }
    words
}

fn begins(window: &[Word<'_>], wanted: &[&str]) -> bool {
    let (last, before) = wanted
        .split_last()
        .expect("the caller looks for at least one word");
    let (last_word, words_before) = window
        .split_last()
        .expect("windows are as long as what is wanted");
    words_before
        .iter()
        .zip(before)
        .all(|(word, wanted)| word.text == *wanted || is_empty_string(word.text, wanted))
        && (last_word.text == *last || last_word.text.trim_end_matches([';', '{']) == *last)
}

/// NGINX's empty string has two spellings.
fn is_empty_string(word: &str, wanted: &str) -> bool {
    wanted == "\"\"" && word == "''"
}

#[cfg(test)]
mod tests {
    use super::Place;

    const TEXT: &str = "# proxy_set_header Host is a comment\nmap $http_upgrade $connection_upgrade {\n    \"\"      close;\n}\n\
                        server {\n    proxy_set_header  Host $host;  # why\n    keepalive 32;\n    location /a/ { proxy_pass http://x; }\n}\n";

    #[test]
    fn finds_the_directive_and_marks_its_value() {
        for (directive, line, column, width) in [
            ("proxy_set_header Host", 6, 28, 5),
            ("\"\" close", 3, 5, 13),
            ("keepalive", 7, 15, 2),
            ("location /a/", 8, 5, 12),
            ("proxy_pass", 8, 31, 8),
        ] {
            let place =
                Place::of(directive, TEXT).unwrap_or_else(|| panic!("{directive} is there"));
            assert_eq!(
                (place.line, place.column, place.width),
                (line, column, width),
                "{directive}"
            );
        }
        let quoted = Place::of("\"\" close", "map $x $y {\n    ''  close;\n}\n");
        assert_eq!(quoted.map(|place| place.line), Some(2));
        assert_eq!(Place::of("proxy_buffering", TEXT), None);
        assert_eq!(Place::of("", TEXT), None);
    }
}
