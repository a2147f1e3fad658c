use std::fmt;
use std::str::FromStr;

use crate::conf::quoted;

/// How a location compares its text with the path of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Modifier {
    /// `=`: the whole path.
    Exact,
    /// `^~`: the beginning of the path; regular expressions are not asked then.
    PrefixFinal,
    /// None: the beginning of the path, unless a regular expression matches.
    Prefix,
    /// `~`: a regular expression.
    Regex,
    /// `~*`: a regular expression, letters of either case.
    RegexAnyCase,
    /// `@name`: never a path of a request, only a target of other directives.
    Named,
}

/// A location as NGINX writes it: `= /health`, `^~ /v0/management/`, `~ \.php$`, `/`, `@fallback`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Notation {
    /// How the text is compared.
    pub modifier: Modifier,
    /// The path, expression or name, as NGINX reads it: no quotes. A name keeps its `@`.
    pub text: Vec<u8>,
}

/// Why words are no location.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotationError {
    /// None, or more than two words.
    #[error("a location is one or two words, not {count}")]
    Words {
        /// How many there are.
        count: usize,
    },
    /// Two words, the first of which is no modifier.
    #[error("invalid location modifier `{modifier}`; there are `=`, `^~`, `~` and `~*`")]
    UnknownModifier {
        /// What stands in its place.
        modifier: String,
    },
}

impl Modifier {
    /// As written before a path; empty for a plain prefix and a name.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Exact => "=",
            Self::PrefixFinal => "^~",
            Self::Prefix | Self::Named => "",
            Self::Regex => "~",
            Self::RegexAnyCase => "~*",
        }
    }

    /// Whether the text is a regular expression.
    pub fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::RegexAnyCase)
    }
}

impl Notation {
    /// The arguments of a `location` directive, read as `ngx_http_core_location` does (nginx 1.22.1): the modifier may
    /// be glued to the text (`=/health`, `~\.php$`).
    ///
    /// # Errors
    ///
    /// Words that are no location.
    pub fn from_words(words: &[&[u8]]) -> Result<Self, NotationError> {
        match words {
            [modifier, text] => Ok(Self {
                modifier: separate_modifier(modifier)?,
                text: text.to_vec(),
            }),
            [word] => Ok(Self::from_glued(word)),
            _ => Err(NotationError::Words { count: words.len() }),
        }
    }

    fn from_glued(word: &[u8]) -> Self {
        let (modifier, text) = match word {
            [b'=', text @ ..] => (Modifier::Exact, text),
            [b'^', b'~', text @ ..] => (Modifier::PrefixFinal, text),
            [b'~', b'*', text @ ..] => (Modifier::RegexAnyCase, text),
            [b'~', text @ ..] => (Modifier::Regex, text),
            [b'@', ..] => (Modifier::Named, word),
            text => (Modifier::Prefix, text),
        };
        Self {
            modifier,
            text: text.to_vec(),
        }
    }
}

fn separate_modifier(word: &[u8]) -> Result<Modifier, NotationError> {
    match word {
        b"=" => Ok(Modifier::Exact),
        b"^~" => Ok(Modifier::PrefixFinal),
        b"~" => Ok(Modifier::Regex),
        b"~*" => Ok(Modifier::RegexAnyCase),
        other => Err(NotationError::UnknownModifier {
            modifier: String::from_utf8_lossy(other).into_owned(),
        }),
    }
}

impl FromStr for Notation {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&[u8]> = text.split_ascii_whitespace().map(str::as_bytes).collect();
        Self::from_words(&words)
    }
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = quoted(&self.text);
        let text = String::from_utf8_lossy(&text);
        match self.modifier.symbol() {
            "" => write!(f, "{text}"),
            symbol => write!(f, "{symbol} {text}"),
        }
    }
}
