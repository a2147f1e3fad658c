use std::fmt;

use super::action::Action;
use super::matcher::Match;
use super::notation::Notation;
use super::table::{Access, Location, LocationId, Table};
use crate::printable::Printable;

/// Who answers the requests of a location, as far as the configuration alone says.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Owner {
    /// An upstream.
    Upstream {
        /// Its name as configured.
        name: String,
        /// The URI part that replaces the location's text; `None` if the target goes through as it is.
        uri: Option<Vec<u8>>,
    },
    /// A redirect to the location of this name, whose final slash the path lacks.
    SlashRedirect {
        /// The path with the slash.
        to: Vec<u8>,
        /// Who would get that.
        owner: Box<Self>,
    },
    /// NGINX itself, with this status.
    Status(u16),
    /// Another directive, with its arguments.
    Handler(String),
    /// Files.
    Files,
    /// Somebody that directives of the rewrite module choose, or this one if they do not.
    Scripted {
        /// The directives, as written.
        script: String,
        /// Who answers if they change nothing.
        otherwise: Box<Self>,
    },
}

impl Owner {
    /// Who answers if no directive of the rewrite module interferes.
    pub fn plain(&self) -> &Self {
        match self {
            Self::Scripted { otherwise, .. } => otherwise.plain(),
            owner => owner,
        }
    }

    /// Whether a client sees no difference: two redirects to one path are the same, whoever answers there.
    pub fn does_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SlashRedirect { to, .. }, Self::SlashRedirect { to: other, .. }) => to == other,
            (own, other) => own == other,
        }
    }

    /// Who is meant by a route: where a slash is missing, who gets the path with it.
    pub(crate) fn wish(&self) -> &Self {
        match self {
            Self::SlashRedirect { owner, .. } => owner,
            owner => owner,
        }
    }

    fn of(location: &Location) -> Self {
        if location.access == Access::Internal {
            return Self::Status(404);
        }
        if let Some(answer) = location.script.unconditional_return() {
            return Self::Status(answer.status);
        }
        let owner = match &location.action {
            Action::Proxy(pass) => Self::Upstream {
                name: pass.upstream.clone(),
                uri: pass.uri.clone(),
            },
            Action::Handler(handler) => {
                Self::Handler(format!("{} {}", handler.directive, handler.arguments))
            }
            Action::Files => Self::Files,
        };
        match location.script.is_harmless() && location.try_files.is_none() {
            true => owner,
            false => Self::Scripted {
                script: location.script_text.clone(),
                otherwise: Box::new(owner),
            },
        }
    }
}

impl Table {
    /// Who answers in a location.
    pub fn owner_of(&self, id: LocationId) -> Owner {
        Owner::of(self.location(id))
    }

    /// Who answers where a search ended.
    pub fn owner(&self, found: Match) -> Owner {
        if let Some(owner) = &self.always {
            return owner.clone();
        }
        match found {
            Match::Location(id) => Owner::of(self.location(id)),
            Match::SlashRedirect(id) => Owner::SlashRedirect {
                to: self.location(id).notation.text.clone(),
                owner: Box::new(Owner::of(self.location(id))),
            },
            Match::Server => Owner::Files,
        }
    }

    /// How the location a search ended with is written; `None` if there is none.
    pub fn notation(&self, found: Match) -> Option<&Notation> {
        match found {
            Match::Location(id) | Match::SlashRedirect(id) => Some(&self.location(id).notation),
            Match::Server => None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream { name, uri: None } => f.write_str(name),
            Self::Upstream {
                name,
                uri: Some(uri),
            } => write!(f, "{name} as {}", Printable(uri)),
            Self::SlashRedirect { to, .. } => write!(f, "301 to {}", Printable(to)),
            Self::Status(status) => write!(f, "{status}"),
            Self::Handler(handler) => f.write_str(handler),
            Self::Files => f.write_str("files"),
            Self::Scripted { otherwise, .. } => write!(f, "{otherwise}, unless rewritten"),
        }
    }
}
