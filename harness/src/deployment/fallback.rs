//! A row of the front's table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the front sends connections of one server name and application protocol.
///
/// The published JSON shape of `settings.fallbacks`; how a table is matched is the front's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// The server name (SNI) as written, empty for any.
    #[serde(default)]
    pub name: String,
    /// The negotiated protocol (ALPN), empty for any.
    #[serde(default)]
    pub alpn: String,
    /// The path of an HTTP/1 request's first line, empty for any.
    #[serde(default)]
    pub path: String,
    /// `host:port`, as published.
    pub dest: String,
    /// PROXY protocol version: 0 for none, 1 or 2.
    #[serde(default)]
    pub xver: u8,
}
