//! What a proxy can do at all, whatever its configuration: [`Feature`].

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A capability that a manifest declares and a scenario needs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// Reads the PROXY protocol's text header on its listeners.
    ProxyProtocolV1,
    /// Reads the PROXY protocol's binary header on its listeners.
    ProxyProtocolV2,
    /// Reads a PROXY header that arrives in more than one TCP segment.
    ProxyProtocolReassembly,
    /// Serves HTTP/1.1.
    HttpOne,
    /// Serves HTTP/2 with prior knowledge (RFC 9113 section 3.3).
    HttpTwo,
    /// Bootstraps WebSockets on HTTP/2 (RFC 8441).
    ExtendedConnect,
    /// Ends TLS itself, with the certificate of the stage.
    Tls,
    /// Upgrades HTTP/1.1 connections to WebSocket (RFC 6455).
    WebSocket,
    /// Passes a request body on before its end.
    StreamedUpload,
    /// Passes bytes on that are no valid URI, as they came.
    RawTarget,
    /// Takes a changed configuration without losing connections.
    Reload,
    /// Finishes what is under way before it stops.
    Drain,
    /// Keeps a server for when the others of its group are gone.
    BackupServer,
    /// Connects to upstreams over TLS.
    UpstreamTls,
    /// Can be made to misbehave by name.
    Defects,
}

impl Feature {
    /// Every feature, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::ProxyProtocolV1,
        Self::ProxyProtocolV2,
        Self::ProxyProtocolReassembly,
        Self::HttpOne,
        Self::HttpTwo,
        Self::ExtendedConnect,
        Self::Tls,
        Self::WebSocket,
        Self::StreamedUpload,
        Self::RawTarget,
        Self::Reload,
        Self::Drain,
        Self::BackupServer,
        Self::UpstreamTls,
        Self::Defects,
    ];

    /// The name in manifests and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProxyProtocolV1 => "proxy_protocol_v1",
            Self::ProxyProtocolV2 => "proxy_protocol_v2",
            Self::ProxyProtocolReassembly => "proxy_protocol_reassembly",
            Self::HttpOne => "http_one",
            Self::HttpTwo => "http_two",
            Self::ExtendedConnect => "extended_connect",
            Self::Tls => "tls",
            Self::WebSocket => "web_socket",
            Self::StreamedUpload => "streamed_upload",
            Self::RawTarget => "raw_target",
            Self::Reload => "reload",
            Self::Drain => "drain",
            Self::BackupServer => "backup_server",
            Self::UpstreamTls => "upstream_tls",
            Self::Defects => "defects",
        }
    }

    /// What is missing without it, as a phrase for a skipped scenario.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ProxyProtocolV1 => "reads PROXY protocol version 1",
            Self::ProxyProtocolV2 => "reads PROXY protocol version 2",
            Self::ProxyProtocolReassembly => "reads a PROXY header in several segments",
            Self::HttpOne => "serves HTTP/1.1",
            Self::HttpTwo => "serves HTTP/2 with prior knowledge",
            Self::ExtendedConnect => "opens WebSockets on HTTP/2 (RFC 8441)",
            Self::Tls => "ends TLS itself",
            Self::WebSocket => "upgrades HTTP/1.1 to WebSocket",
            Self::StreamedUpload => "passes a request body on before its end",
            Self::RawTarget => "passes request targets on byte for byte",
            Self::Reload => "takes a changed configuration while it runs",
            Self::Drain => "finishes what is under way before it stops",
            Self::BackupServer => "keeps a server for when the others are gone",
            Self::UpstreamTls => "connects to upstreams over TLS",
            Self::Defects => "can be made to misbehave by name",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The text names no feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no feature is called `{name}`")]
pub struct UnknownFeature {
    /// What was written.
    pub name: String,
}

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|feature| feature.name() == name)
            .ok_or_else(|| UnknownFeature {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_one_in_toml() {
        for feature in Feature::ALL {
            assert_eq!(
                serde_json::to_value(feature).unwrap(),
                feature.name(),
                "{feature:?}"
            );
            assert_eq!(feature.name().parse(), Ok(feature));
        }
    }
}
