//! A location in NGINX's notation: which paths it takes, and what becomes of them.

use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use crate::client::Body;
use crate::expression::{Case, Expression};
use crate::replacement::{Escapes, Replacement};

/// One location.
#[derive(Debug)]
pub(crate) struct Location {
    pub(crate) kind: Kind,
    /// The path, or the text of the expression.
    pub(crate) name: Box<[u8]>,
    pub(crate) owner: Owner,
}

/// How a location is compared with a path.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `=`: the whole path.
    Exact,
    /// No modifier: the longest one wins, unless an expression matches.
    Prefix,
    /// `^~`: a prefix after which no expression is tried.
    FinalPrefix,
    /// `~` and `~*`: the first one that matches.
    Expression(Expression),
}

/// Who gets the paths of a location, and as what.
#[derive(Debug)]
pub(crate) struct Owner {
    /// Index of the upstream; of no meaning where the proxy answers itself.
    pub(crate) upstream: usize,
    /// What the proxy answers itself.
    pub(crate) answer: Option<OwnAnswer>,
    /// What the upstream sees in the place of the location's name, where that is something else.
    pub(crate) replace: Option<Replacement>,
}

/// An answer that the configuration says.
#[derive(Debug)]
pub(crate) struct OwnAnswer {
    pub(crate) status: StatusCode,
    /// Where it redirects to.
    pub(crate) location: Option<HeaderValue>,
}

impl OwnAnswer {
    /// The answer.
    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        if let Some(location) = &self.location {
            let fields = response.headers_mut();
            fields.insert(LOCATION, location.clone());
        }
        response
    }
}

impl Location {
    /// Reads the notation; the message says what is wrong with it.
    pub(crate) fn new(notation: &str, owner: Owner) -> Result<Self, String> {
        let words: Vec<&str> = notation.split_whitespace().collect();
        let (kind, name) = match words.as_slice() {
            ["=", name] => (Kind::Exact, *name),
            ["^~", name] => (Kind::FinalPrefix, *name),
            ["~", text] => (expression(notation, text, Case::Matters)?, *text),
            ["~*", text] => (expression(notation, text, Case::Ignored)?, *text),
            [name] if name.starts_with('@') => {
                return Err(format!("`{notation}`: named locations are not supported"));
            }
            [name] => (Kind::Prefix, *name),
            _ => {
                return Err(format!(
                    "`{notation}` is not a location: expected `[= | ^~] /path` or `~ | ~* expression`"
                ));
            }
        };
        let is_expression = matches!(kind, Kind::Expression(_));
        if !is_expression && !name.starts_with('/') {
            return Err(format!("`{notation}`: a location begins with a slash"));
        }
        if is_expression && owner.replace.is_some() {
            return Err(format!(
                "`{notation}`: an expression has no part to replace"
            ));
        }
        Ok(Self {
            kind,
            name: name.as_bytes().into(),
            owner,
        })
    }

    /// Whether NGINX takes both for the same; of equal expressions the first one is tried first.
    pub(crate) fn is_twin_of(&self, other: &Self) -> bool {
        let is_same_kind =
            self.is_exact() && other.is_exact() || self.is_prefix() && other.is_prefix();
        is_same_kind && self.name == other.name
    }

    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.kind, Kind::Exact)
    }

    pub(crate) fn is_prefix(&self) -> bool {
        matches!(self.kind, Kind::Prefix | Kind::FinalPrefix)
    }

    /// Whether no expression is tried once this is the longest prefix.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.kind, Kind::FinalPrefix)
    }

    /// Whether it is an expression that matches a path.
    pub(crate) fn expresses(&self, path: &[u8]) -> bool {
        match &self.kind {
            Kind::Expression(expression) => expression.matches(path),
            _ => false,
        }
    }

    /// A normalised path as the upstream gets it; `None` where that is the path as it came.
    pub(crate) fn replaced(&self, path: &[u8], came: Escapes) -> Option<Vec<u8>> {
        let replacement = self.owner.replace.as_ref()?;
        Some(replacement.of(path, self.name.len(), came))
    }
}

fn expression(notation: &str, text: &str, case: Case) -> Result<Kind, String> {
    let expression = Expression::new(text, case).map_err(|why| format!("`{notation}`: {why}"))?;
    Ok(Kind::Expression(expression))
}
