//! The TOML of a deployment, before it is looked at.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::fallback::Fallback;
use super::{Front, ProxyProtocol, RequestBody};
use crate::kind::{RawEndpoints, endpoints_schema};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "deployment.toml",
    description = "What a site is, whatever proxy serves it; docs/deployments.md has every key."
)]
pub(super) struct RawDeployment {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) front: Front,
    #[serde(default)]
    pub(super) hosts: RawHosts,
    #[serde(default, rename = "listener")]
    #[schemars(with = "Vec<RawListener>")]
    pub(super) listeners: Vec<Spanned<RawListener>>,
    #[serde(default, rename = "upstream")]
    #[schemars(with = "BTreeMap<String, RawUpstream>")]
    pub(super) upstreams: BTreeMap<Spanned<String>, RawUpstream>,
    #[serde(default, rename = "route")]
    pub(super) routes: Vec<RawRoute>,
    #[serde(default)]
    #[schemars(schema_with = "endpoints_schema")]
    pub(super) endpoints: RawEndpoints,
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) identity: RawIdentity,
    #[serde(default, rename = "fallback")]
    #[schemars(with = "Vec<Fallback>")]
    pub(super) fallbacks: Vec<Spanned<Fallback>>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHosts {
    #[schemars(with = "Option<String>")]
    pub(super) api: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub(super) tunnel: Option<Spanned<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListener {
    #[schemars(with = "String")]
    pub(super) address: Spanned<String>,
    #[schemars(with = "Option<String>")]
    pub(super) protocol: Option<Spanned<String>>,
    pub(super) proxy_protocol: Option<ProxyProtocol>,
    #[schemars(with = "Option<bool>")]
    pub(super) tls: Option<Spanned<bool>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUpstream {
    #[schemars(with = "String")]
    pub(super) address: Spanned<String>,
    #[schemars(with = "Option<String>")]
    pub(super) kind: Option<Spanned<String>>,
    #[serde(default = "default_pool")]
    pub(super) pool: u32,
    #[serde(default, rename = "stub")]
    pub(super) stubs: Vec<RawStub>,
    #[serde(default)]
    #[schemars(schema_with = "endpoints_schema")]
    pub(super) endpoints: RawEndpoints,
}

/// An answer of one's own to a request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStub {
    /// `METHOD /path`.
    #[schemars(with = "String")]
    pub(super) request: Spanned<String>,
    #[schemars(with = "Option<u16>")]
    pub(super) status: Option<Spanned<u16>>,
    #[serde(default)]
    pub(super) body: String,
    /// Fields of the answer by name.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
}

/// Whoever says nothing does not want a connection for each request; the published site has as many.
const fn default_pool() -> u32 {
    32
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRoute {
    #[schemars(with = "String")]
    pub(super) location: Spanned<String>,
    #[schemars(with = "String")]
    pub(super) upstream: Spanned<String>,
    #[schemars(with = "Option<String>")]
    pub(super) replace: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) request_body: RequestBody,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    #[schemars(with = "String")]
    pub(super) request_body: Spanned<String>,
    #[serde(default)]
    pub(super) refuse_larger: bool,
    #[schemars(with = "String")]
    pub(super) read_timeout: Spanned<String>,
    #[schemars(with = "String")]
    pub(super) send_timeout: Spanned<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawIdentity {
    pub(super) trusted: Vec<IpAddr>,
    pub(super) scheme: String,
    pub(super) port: u16,
}

impl Default for RawIdentity {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            scheme: "https".to_owned(),
            port: 443,
        }
    }
}
