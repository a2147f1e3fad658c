//! NGINX's location notation: `= /exact`, `^~ /prefix`, `/prefix`, `~ regex`, `~* regex`.

use std::fmt;

use serde::{Serialize, Serializer};

/// One location, as NGINX writes it (`ngx_http_core_module`, directive `location`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// How the path is compared.
    pub kind: LocationKind,
    /// The path, or the regular expression.
    pub path: String,
}

/// How a location compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocationKind {
    /// `=`: the whole path.
    Exact,
    /// No modifier: the longest prefix wins, unless a regular expression matches.
    Prefix,
    /// `^~`: a prefix that stops the search for regular expressions.
    FinalPrefix,
    /// `~`: a regular expression, in the order of the file.
    Regex,
    /// `~*`: the same, ignoring case.
    RegexIgnoringCase,
}

impl LocationKind {
    /// The modifier as written, empty for a plain prefix.
    #[must_use]
    pub const fn modifier(self) -> &'static str {
        match self {
            Self::Exact => "=",
            Self::Prefix => "",
            Self::FinalPrefix => "^~",
            Self::Regex => "~",
            Self::RegexIgnoringCase => "~*",
        }
    }

    fn of(modifier: &str) -> Option<Self> {
        [
            Self::Exact,
            Self::FinalPrefix,
            Self::Regex,
            Self::RegexIgnoringCase,
        ]
        .into_iter()
        .find(|kind| kind.modifier() == modifier)
    }

    const fn is_expression(self) -> bool {
        matches!(self, Self::Regex | Self::RegexIgnoringCase)
    }

    const fn is_prefix(self) -> bool {
        matches!(self, Self::Prefix | Self::FinalPrefix)
    }
}

impl Location {
    /// Reads the notation; the error says what is wrong and what to write.
    pub(crate) fn parse(notation: &str) -> Result<Self, Misread> {
        let words: Vec<&str> = notation.split_whitespace().collect();
        let (kind, path) = match words[..] {
            [path] => (LocationKind::Prefix, path),
            [modifier, path] => match LocationKind::of(modifier) {
                Some(kind) => (kind, path),
                None => return Err(Misread::modifier(modifier)),
            },
            _ => return Err(Misread::shape()),
        };
        if !kind.is_expression() && !path.starts_with('/') {
            return Err(Misread::path(path));
        }
        Ok(Self {
            kind,
            path: path.to_owned(),
        })
    }

    /// Whether it is a regular expression.
    pub(crate) fn is_expression(&self) -> bool {
        self.kind.is_expression()
    }

    /// Whether it is a prefix, and not that of every path.
    pub(crate) fn is_prefix_below_the_root(&self) -> bool {
        self.kind.is_prefix() && self.path != "/"
    }

    /// Whether NGINX takes both for the same location: `/x` and `^~ /x` are.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let same_kind =
            self.kind == other.kind || (self.kind.is_prefix() && other.kind.is_prefix());
        same_kind && self.path == other.path
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            LocationKind::Prefix => formatter.pad(&self.path),
            kind => formatter.pad(&format!("{} {}", kind.modifier(), self.path)),
        }
    }
}

impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A notation that is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Misread {
    fn shape() -> Self {
        Self {
            message: "a location is an optional modifier and a path".to_owned(),
            help: "write `= /path`, `^~ /path`, `/path`, `~ regex` or `~* regex`".to_owned(),
        }
    }

    fn modifier(modifier: &str) -> Self {
        Self {
            message: format!("`{modifier}` is no modifier of a location"),
            ..Self::shape()
        }
    }

    fn path(path: &str) -> Self {
        Self {
            message: format!("`{path}` does not start with `/`"),
            help: format!("write `/{path}`, or `~ {path}` for a regular expression"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_written_as_it_was_read() {
        for notation in ["= /a", "^~ /a/", "/", "~ ^/a", "~* ^/a"] {
            assert_eq!(Location::parse(notation).unwrap().to_string(), notation);
        }
        assert_eq!(Location::parse("=  /a").unwrap().to_string(), "= /a");
    }

    #[test]
    fn a_prefix_is_the_same_location_whether_final_or_not() {
        let plain = Location::parse("/a").unwrap();
        assert!(plain.same_as(&Location::parse("^~ /a").unwrap()));
        assert!(!plain.same_as(&Location::parse("= /a").unwrap()));
    }
}
