//! The languages of configurations that the harness can make private copies of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The language that a candidate's configuration is written in: it decides how a user's file is confined to the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// NGINX's.
    Nginx,
    /// HAProxy's.
    Haproxy,
    /// Caddy's short one.
    Caddyfile,
    /// Apache httpd's.
    Apache,
}

impl Language {
    /// The name in manifests.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddyfile => "caddyfile",
            Self::Apache => "apache",
        }
    }
}
