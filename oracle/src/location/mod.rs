//! Route tables: which location takes a path, and why.

mod action;
mod answer;
mod decide;
mod escape;
mod index;
mod map;
mod matcher;
mod normalise;
mod notation;
mod owner;
mod place;
mod reader;
mod refusal;
mod regex;
mod request;
mod request_line;
mod rewrite;
mod run;
mod script_reader;
mod server;
mod settings;
mod site;
mod table;
mod template;
mod trace;
mod variables;
mod version;

pub(crate) use index::StaticMatch;
pub(crate) use table::Level;

pub use action::{Action, Handler, ProxyPass, ProxyPassError};
pub use answer::{Answer, Decision, NotModelled};
pub use matcher::Match;
pub use normalise::{Escapes, MergeSlashes, Normalised, normalise};
pub use notation::{Modifier, Notation, NotationError};
pub use owner::Owner;
pub use place::Place;
pub use refusal::Refusal;
pub use regex::{MatchError, Regex, RegexCase, RegexError};
pub use request::Request;
pub use server::{Chosen, DefaultServer, Listen, Protocol, ProxyProtocol, Server, ServerName};
pub use site::{Site, SiteError, SiteProblem, Upstream};
pub use table::{Access, Location, LocationId, Table, TableBuilder, TableError};
pub use trace::{Because, Loss, Trace};
pub use version::{NginxVersion, NginxVersionError};
