//! Sites and their route tables: which location takes a path, and why.
//!
//! `Reader` makes a [`Site`] of a tree of files (`listen_reader`, `location_reader`, `map_reader` and `script_reader` are
//! parts of it). [`Site::decide`] runs a [`Request`] through it as NGINX does: the listener and server (`decide`), the
//! scripts and phases (`run`), the search for a location (`matcher`, over the `index` of a [`Table`]), to an [`Answer`].
//! [`Site::request_for`] goes the other way: `candidates` of a client's target are tried with it (`inverse`).

mod action;
mod answer;
mod candidates;
mod decide;
mod escape;
mod index;
mod inherited;
mod inverse;
mod listen_reader;
mod listener;
mod location_reader;
mod map;
mod map_reader;
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
mod try_files;
mod variables;
mod version;
mod witness;

pub(crate) use action::split_uri;
pub(crate) use index::StaticMatch;
pub(crate) use rewrite::Script;
pub(crate) use table::Level;
pub(crate) use template::{Part, Template};

pub use action::{Action, Handler, ProxyPass, ProxyPassError};
pub use answer::{Answer, Decision, NotModelled};
pub use inverse::{Arrival, Way};
pub use listener::{Listener, Transport};
pub use matcher::Match;
pub use normalise::{Escapes, MergeSlashes, Normalised, normalise};
pub use notation::{Modifier, Notation, NotationError};
pub use owner::Owner;
pub use place::Place;
pub use refusal::Refusal;
pub use regex::{MatchError, Regex, RegexCase, RegexError};
pub use request::{Files, Request};
pub use server::{Chosen, DefaultServer, Listen, Protocol, ProxyProtocol, Server, ServerName};
pub use site::{Site, SiteError, SiteProblem};
pub use table::{Access, Location, LocationId, Table, TableBuilder, TableError};
pub use trace::{Because, Loss, Trace};
pub use version::{NginxVersion, NginxVersionError};
