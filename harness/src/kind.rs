//! What program, or family of programs, an upstream is: [`Kind`].

mod endpoint;
mod gallery;
mod purpose;
mod raw;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::endpoint::{EndpointRequest, MalformedRequest};
pub use self::purpose::{Purpose, UnknownPurpose};
pub(crate) use self::raw::{RawEndpoints, endpoints, endpoints_schema};
use crate::document::Document;
use crate::error::HarnessError;

/// What a program serves, and what it believes of its clients; data, a file each.
///
/// Kinds are compared by name: two files with the same one are the same kind.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// Its name in deployments and reports.
    pub name: String,
    /// One sentence about it.
    pub about: String,
    /// What stands in for it on a stage.
    pub stand_in: StandIn,
    /// What it serves, by purpose; the first of a purpose is the one that is usually asked.
    pub endpoints: BTreeMap<Purpose, Vec<EndpointRequest>>,
    /// Whom it takes a client for.
    pub client_address: ClientAddress,
    /// What it needs of a proxy, lest its users lose answers.
    pub limits: KindLimits,
    /// How a proxy's configuration shows that it is there.
    pub signs: Signs,
    /// Its users get nothing without WebSockets.
    pub needs_websocket: bool,
    /// The status that refuses a WebSocket handshake without `Connection: upgrade`, or another of its fields.
    pub refuses_handshake_with: u16,
}

/// Sizes and times that a program needs of a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindLimits {
    /// The largest request body that its clients send, in bytes.
    pub request_body: Option<u64>,
    /// How long it may be silent before it answers.
    pub read_timeout: Option<Duration>,
}

/// How a proxy's configuration shows a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signs {
    /// Names of hosts and upstreams that have one of these in them, in lower case, between signs that are no letters.
    pub names: Vec<String>,
    /// Locations that begin so.
    pub paths: Vec<String>,
    /// Ports that nobody else usually has.
    pub own_ports: Vec<u16>,
    /// Ports that others have too: they decide only beside an API below `/v1`.
    pub ports: Vec<u16>,
}

/// What stands in for a program on a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandIn {
    /// The byte-true mock of CPA.
    Cpa,
    /// The byte-true mock of the usage service, which talks to a CPA of its own past the candidate.
    Usage,
    /// An upstream that does what scenarios script, and answers everything else with 200 and its own name.
    #[default]
    Scripted,
}

/// Whom a program takes a client for, where it looks at fields at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientAddress {
    /// The request fields that it looks at, in this order; none where it believes the connection alone.
    pub fields: Vec<String>,
    /// Which entry of a list it takes.
    pub entry: Entry,
    /// Clients with a loopback address may do more than others.
    pub trusts_loopback: bool,
}

/// Which entry of a list of addresses a program takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first, which a client can write unless the proxy replaces the field.
    #[default]
    Leftmost,
    /// The last, which the nearest proxy wrote.
    Rightmost,
    /// The field as it is: with a list it is no address at all.
    Whole,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kind {}

impl Kind {
    /// The name of the kind of an upstream about which nothing is known.
    pub const UNKNOWN: &'static str = "gateway";

    /// Takes an embedded kind by name, or a file by path.
    ///
    /// # Errors
    /// [`HarnessError::UnknownKind`] for neither, [`HarnessError::Unreadable`] and [`HarnessError::Document`] for a file
    /// that can't be read.
    pub fn named(name: &str) -> Result<Arc<Self>, HarnessError> {
        if let Some(kind) = gallery::embedded(name) {
            return Ok(kind);
        }
        let path = Path::new(name);
        if !name.contains('/') && path.extension().is_none_or(|extension| extension != "toml") {
            return Err(HarnessError::UnknownKind {
                name: name.to_owned(),
                known: gallery::NAMES.map(str::to_owned).to_vec(),
            });
        }
        let text = std::fs::read_to_string(path).map_err(|cause| HarnessError::Unreadable {
            file: name.to_owned(),
            cause,
        })?;
        Self::parse(name, &text).map(Arc::new)
    }

    /// The embedded kinds, in the order of the documentation.
    #[must_use]
    pub fn embedded() -> Vec<Arc<Self>> {
        let kinds = gallery::NAMES.iter();
        kinds.filter_map(|name| gallery::embedded(name)).collect()
    }

    /// Reads the text of a kind.
    ///
    /// # Errors
    /// [`HarnessError::Document`] with the place where it makes no sense.
    pub fn parse(file: &str, text: &str) -> Result<Self, HarnessError> {
        Ok(raw::read(&Document::new(file, text))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_kind_is_read() {
        let kinds = Kind::embedded();
        assert_eq!(kinds.len(), gallery::NAMES.len());
        for kind in kinds {
            assert!(
                kind.endpoints.contains_key(&Purpose::Plain),
                "{}",
                kind.name
            );
        }
    }

    #[test]
    fn an_unknown_kind_is_told_what_there_is() {
        let error = Kind::named("litelm").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no kind is called `litelm`, and no such file is there"
        );
    }

    #[test]
    fn a_request_that_is_none_is_told_where() {
        let text = "name = \"x\"\nabout = \"y\"\n[endpoints]\nplain = \"v1/models\"\n";
        let error = Kind::parse("x.toml", text).unwrap_err();
        assert!(error.to_string().starts_with("x.toml:4:9: "), "{error}");
    }
}
