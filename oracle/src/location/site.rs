use super::action::ProxyPassError;
use super::map::Map;
use super::notation::{Notation, NotationError};
use super::place::Place;
use super::reader::Reader;
use super::regex::RegexError;
use super::server::Server;
use super::table::TableError;
use crate::conf::Tree;
use crate::setting::Blocks;
use crate::upstream::Upstream;

/// Everything of an NGINX configuration that decides where HTTP requests go.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The servers, in the order NGINX reads them.
    pub servers: Vec<Server>,
    /// The `upstream` blocks.
    pub upstreams: Vec<Upstream>,
    pub(crate) maps: Vec<Map>,
    /// The variables of `geo` and `split_clients`, in lower case, with their values.
    pub(crate) choices: Vec<(String, Vec<Vec<u8>>)>,
    pub(crate) blocks: Blocks,
}

/// One reason why NGINX would not take a configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct SiteError {
    /// What is wrong.
    pub problem: SiteProblem,
    /// Where.
    pub place: Place,
}

/// What can be wrong with directives that decide about routes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SiteProblem {
    /// Too few or too many words.
    #[error("invalid number of arguments in `{directive}`")]
    Arguments {
        /// Its name.
        directive: String,
    },
    /// A block directive without a block.
    #[error("`{directive}` has no `{{`")]
    NoBlock {
        /// Its name.
        directive: String,
    },
    /// Words after `location` that are none.
    #[error(transparent)]
    Notation(#[from] NotationError),
    /// Locations that do not go together.
    #[error(transparent)]
    Table(TableError),
    /// A `proxy_pass` that leads nowhere.
    #[error(transparent)]
    ProxyPass(#[from] ProxyPassError),
    /// A URI part where NGINX cannot say what it replaces.
    #[error(
        "`proxy_pass` cannot have a URI part in a location given by regular expression, in a named location, in `if` or in `limit_except`"
    )]
    UriPart,
    /// A directive that may stand once only.
    #[error("`{directive}` is duplicate")]
    Duplicate {
        /// Its name.
        directive: String,
    },
    /// A nested location whose text does not begin with its parent's.
    #[error("location `{inner}` is outside location `{outer}`")]
    Outside {
        /// The nested one.
        inner: Notation,
        /// The one around it.
        outer: Notation,
    },
    /// A location inside an exact or a named one, or a named one inside another.
    #[error("location `{inner}` cannot be inside location `{outer}`")]
    Inside {
        /// The nested one.
        inner: Notation,
        /// The one around it.
        outer: Notation,
    },
    /// A bad expression in `rewrite`, `if`, `map` or `server_name`.
    #[error(transparent)]
    Regex(#[from] RegexError),
    /// A word that is no status, flag or condition.
    #[error("invalid {what} `{word}` in `{directive}`")]
    Word {
        /// What it should be.
        what: &'static str,
        /// What stands there.
        word: String,
        /// In which directive.
        directive: String,
    },
    /// No `server`: there is nothing to ask about.
    #[error("there is no `server` block")]
    NoServer,
}

impl SiteProblem {
    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Arguments { directive } => Some(format!(
                "is a `;` missing at the end of the line of `{directive}`?"
            )),
            Self::NoBlock { directive } => {
                Some(format!("write `{directive} … {{` and close it with `}}`"))
            }
            Self::Word { directive, .. } if directive == "listen" => {
                Some("is a `;` missing at the end of the line of `listen`?".into())
            }
            Self::Notation(NotationError::UnknownModifier { .. }) => {
                Some("write `location [= | ^~ | ~ | ~*] path {`".into())
            }
            Self::ProxyPass(ProxyPassError::Prefix { url }) => {
                Some(format!("write `proxy_pass http://{url};`"))
            }
            Self::UriPart => Some(
                "leave the URI part away, or change the path with `rewrite … break` before".into(),
            ),
            Self::Outside { .. } => {
                Some("move it out of the block, or begin it with the outer location's text".into())
            }
            Self::Table(TableError::Duplicate { .. }) => Some(
                "remove one of the two; `^~` and a plain prefix of the same text count as the same"
                    .into(),
            ),
            Self::NoServer => {
                Some("give a file with a `server` block, or a whole nginx.conf".into())
            }
            _ => None,
        }
    }
}

impl Site {
    /// Reads a configuration: a whole `nginx.conf`, the inside of `http`, or a `server` block (a fragment).
    ///
    /// # Errors
    ///
    /// Everything that NGINX would refuse, as far as it bears on routes.
    pub fn read(tree: &Tree) -> Result<Self, Vec<SiteError>> {
        Reader::new(tree).read()
    }

    /// The `upstream` block of that name.
    pub fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.upstreams.iter().find(|upstream| upstream.name == name)
    }

    /// The values that `map`, `geo` and `split_clients` give to a variable (its name in lower case), as written.
    pub(crate) fn map_values(&self, variable: &str) -> Vec<Vec<u8>> {
        let is_it = |map: &&Map| map.variable.eq_ignore_ascii_case(variable);
        let maps = self.maps.iter().filter(is_it);
        let mapped = maps.flat_map(|map| {
            let entries = map.entries.iter().map(|entry| entry.value.written());
            entries.chain([map.default.written()])
        });
        let choices = self.choices.iter().filter(|(name, _)| name == variable);
        mapped
            .chain(choices.flat_map(|(_, values)| values.iter().cloned()))
            .collect()
    }
}
