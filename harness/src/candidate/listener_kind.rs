//! What some sites' listeners have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, Front, ProxyProtocol};

/// What some sites' listeners have, and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListenerKind {
    /// TLS that the candidate ends itself.
    Tls,
    /// Connections to the candidate begin with a PROXY header.
    ProxyProtocol,
    /// Clients speak TLS with what stands before the candidate.
    TlsInFront,
}

impl ListenerKind {
    /// Whether a listener of the site is so.
    #[must_use]
    pub fn is_of(self, deployment: &Deployment) -> bool {
        let mut listeners = deployment.listeners.values();
        listeners.any(|listener| match self {
            Self::Tls => listener.tls,
            Self::ProxyProtocol => listener.proxy_protocol != ProxyProtocol::None,
            Self::TlsInFront => deployment.front != Front::None,
        })
    }
}
