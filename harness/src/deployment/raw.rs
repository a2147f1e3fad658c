//! The TOML of a deployment, before it is looked at.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::addresses::OneOrMore;
use super::fallback::Fallback;
use super::{Front, ProxyProtocol, RequestBody};
use crate::kind::{ClientAddress, RawEndpoints, endpoints_schema};

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
    #[serde(default)]
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
    #[serde(default)]
    pub(super) others: OtherHosts,
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
    /// `host:port`, `unix:/path` or `https://host`, or several of them.
    #[schemars(with = "OneOrMore")]
    pub(super) address: Spanned<Value>,
    /// Servers that get requests only while none of `address` can.
    #[schemars(with = "Option<OneOrMore>")]
    pub(super) backup: Option<Spanned<Value>>,
    /// The Host that it must see, where that is not the public one.
    #[schemars(with = "Option<String>")]
    pub(super) host: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub(super) kind: Option<Spanned<String>>,
    pub(super) pool: Option<u32>,
    /// Request fields that the proxy gives a value of its own.
    #[serde(default)]
    pub(super) own_fields: Vec<String>,
    /// Methods that the proxy answers itself.
    #[serde(default)]
    pub(super) answered_methods: Vec<String>,
    /// Whom it takes a client for, in place of what its kind says.
    pub(super) client_address: Option<ClientAddress>,
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

/// What becomes of requests for a host that is not the site's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OtherHosts {
    /// They have to be refused.
    #[default]
    Refused,
    /// Refusing them is good practice.
    Recommended,
    /// They may be served.
    Any,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRoute {
    #[schemars(with = "String")]
    pub(super) location: Spanned<String>,
    #[schemars(with = "Option<String>")]
    pub(super) upstream: Option<Spanned<String>>,
    /// The proxy answers itself, with this status.
    #[schemars(with = "Option<u16>")]
    pub(super) status: Option<Spanned<u16>>,
    /// The proxy answers itself, with a redirect to this path.
    #[schemars(with = "Option<String>")]
    pub(super) redirect: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub(super) replace: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) request_body: RequestBody,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    #[schemars(with = "Option<String>")]
    pub(super) request_body: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) refuse_larger: bool,
    #[schemars(with = "Option<String>")]
    pub(super) read_timeout: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub(super) send_timeout: Option<Spanned<String>>,
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
