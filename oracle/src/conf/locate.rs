use std::fmt;
use std::str::FromStr;

use super::ast::{Directive, Document, Word};
use super::lexer::{Lexer, Quotes, Token};

/// A directive by its words, with those of blocks around it: `server > location / > proxy_set_header X-Forwarded-For`.
///
/// Each step names the first words of a directive, written as in a configuration; `*` stands for any one word. Between
/// two steps other blocks may lie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DirectivePath {
    steps: Vec<Vec<Vec<u8>>>,
}

/// Why a text is no [`DirectivePath`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DirectivePathError {
    /// Nothing between two `>`, or nothing at all.
    #[error("step {step} of the directive path is empty")]
    EmptyStep {
        /// Which, from 1.
        step: usize,
    },
    /// Punctuation or a broken quote.
    #[error("step {step} of the directive path is not a row of words")]
    NotWords {
        /// Which, from 1.
        step: usize,
    },
}

impl FromStr for DirectivePath {
    type Err = DirectivePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut steps = vec![Vec::new()];
        let mut lexer = Lexer::new(text.as_bytes());
        loop {
            let step = steps.len();
            match lexer.next() {
                Token::Word(span, Quotes::Bare) if &text[span.range()] == ">" => {
                    steps.push(Vec::new())
                }
                Token::Word(span, quotes) => {
                    let word = Word::new(text.as_bytes(), span, quotes);
                    steps[step - 1].push(word.value().to_vec());
                }
                Token::End(_) => break,
                _ => return Err(DirectivePathError::NotWords { step }),
            }
        }
        match steps.iter().position(Vec::is_empty) {
            Some(empty) => Err(DirectivePathError::EmptyStep { step: empty + 1 }),
            None => Ok(Self { steps }),
        }
    }
}

impl DirectivePath {
    /// The words of each step.
    pub fn steps(&self) -> &[Vec<Vec<u8>>] {
        &self.steps
    }

    /// Whether a directive inside these blocks (outermost first) is meant.
    pub fn matches(&self, outer: &[&Directive], directive: &Directive, case: LetterCase) -> bool {
        let Some((last, blocks)) = self.steps.split_last() else {
            return false;
        };
        let mut blocks = blocks.iter().peekable();
        for block in outer {
            if blocks.peek().is_some_and(|step| is_step(block, step, case)) {
                blocks.next();
            }
        }
        blocks.peek().is_none() && is_step(directive, last, case)
    }
}

/// Whether `A` is `a` when words are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LetterCase {
    /// No: the same bytes.
    Exact,
    /// Yes, in ASCII: names of fields have no case.
    Ignored,
}

fn is_step(directive: &Directive, step: &[Vec<u8>], case: LetterCase) -> bool {
    let is_word = |(word, wanted): (&Word, &Vec<u8>)| match case {
        _ if wanted == b"*" && word.quotes == Quotes::Bare => true,
        LetterCase::Exact => word.value() == wanted.as_slice(),
        LetterCase::Ignored => word.value().eq_ignore_ascii_case(wanted),
    };
    directive.words.len() >= step.len() && directive.words.iter().zip(step).all(is_word)
}

impl Document {
    /// The directives a path means, in the order of the file; with another letter case only if none has the same.
    pub fn find(&self, path: &DirectivePath) -> Vec<&Directive> {
        let mut found = Vec::new();
        for case in [LetterCase::Exact, LetterCase::Ignored] {
            if found.is_empty() {
                self.walk(&mut |outer, directive| {
                    if path.matches(outer, directive, case) {
                        found.push(directive);
                    }
                });
            }
        }
        found
    }
}

impl fmt::Display for DirectivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = |words: &Vec<Vec<u8>>| {
            let words: Vec<_> = words
                .iter()
                .map(|word| String::from_utf8_lossy(&super::quote::quoted(word)).into_owned())
                .collect();
            words.join(" ")
        };
        let steps: Vec<_> = self.steps.iter().map(step).collect();
        f.write_str(&steps.join(" > "))
    }
}
