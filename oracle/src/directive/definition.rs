use std::fmt;

use crate::location::NginxVersion;

/// One directive of NGINX.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand.
    pub contexts: Vec<Context>,
    /// What an inner block makes of the value of an outer one.
    pub merge: Merge,
    /// What its arguments are.
    pub unit: Unit,
    /// The first release that has it; `None` if the oldest release in use (1.18.0) does.
    pub since: Option<NginxVersion>,
    /// What it needs besides the modules that every build has: a module that `--with-…_module` adds, a package, or
    /// `NGINX Plus`.
    pub module: Option<&'static str>,
    /// The defaults, each with the first release it holds in.
    pub(super) defaults: Vec<(Option<NginxVersion>, &'static str)>,
}

/// A block that directives stand in, in the words of NGINX's documentation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Context {
    /// Outside every block.
    Main,
    /// `events`.
    Events,
    /// `http`.
    Http,
    /// `server` in `http`.
    Server,
    /// `location`.
    Location,
    /// `if` in a location.
    If,
    /// `if` in a server.
    ServerIf,
    /// `limit_except`.
    LimitExcept,
    /// `upstream`.
    Upstream,
}

/// What becomes of a setting in the blocks inside the one that has it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Merge {
    /// An inner block's value replaces it.
    Replaced,
    /// The directives of a block are one list; a block with any of its own drops the outer list as a whole.
    List {
        /// Directives with the same name here share a list: `allow` and `deny` do.
        name: &'static str,
    },
    /// It holds for its block alone: no inner block takes it over.
    Own,
}

/// What the arguments of a directive are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Unit {
    /// None.
    None,
    /// A size: `8k`, `1m`; see [`bytes`](super::bytes).
    Bytes,
    /// A duration: `60s`, `1h30m`, `500ms`; see [`time`](super::time).
    Time,
    /// `on` or `off`.
    Flag,
    /// A number without a unit.
    Number,
    /// Anything else.
    Words,
    /// Directives between braces.
    Block,
}

impl Definition {
    /// The value of a site that does not say it, as it would be written; `None` if there is none.
    ///
    /// Several directives of a list are separated by `; `.
    pub fn default_value(&self, version: NginxVersion) -> Option<&'static str> {
        let holds = |since: &Option<NginxVersion>| since.is_none_or(|since| since <= version);
        let mut defaults = self.defaults.iter().rev();
        defaults
            .find(|(since, _)| holds(since))
            .map(|(_, value)| *value)
    }

    /// Whether a release knows it, given the module it needs.
    pub fn is_in(&self, version: NginxVersion) -> bool {
        self.since.is_none_or(|since| since <= version)
    }

    /// Whether inner blocks take it over from outer ones.
    pub fn is_inherited(&self) -> bool {
        self.merge != Merge::Own
    }
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Main,
        Self::Events,
        Self::Http,
        Self::Server,
        Self::Location,
        Self::If,
        Self::ServerIf,
        Self::LimitExcept,
        Self::Upstream,
    ];

    /// The name of the block: `http`, `if`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Events => "events",
            Self::Http => "http",
            Self::Server => "server",
            Self::Location => "location",
            Self::If | Self::ServerIf => "if",
            Self::LimitExcept => "limit_except",
            Self::Upstream => "upstream",
        }
    }

    /// As `table.tsv` writes it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::ServerIf => "server-if",
            other => other.name(),
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
