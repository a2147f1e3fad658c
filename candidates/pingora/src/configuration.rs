//! What the gateway is told: `gateway.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::Deserialize;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configuration {
    pub(crate) host: String,
    /// In bytes.
    pub(crate) body_limit: u64,
    read_timeout_ms: u64,
    #[serde(rename = "listener")]
    pub(crate) listeners: Vec<Listener>,
    upstream: BTreeMap<String, Upstream>,
    #[serde(rename = "route")]
    routes: Vec<Route>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    pub(crate) address: String,
    pub(crate) protocol: Protocol,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    H1,
    H2,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Upstream {
    address: String,
    pool: usize,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    path: String,
    exact: bool,
    upstream: String,
}

impl Configuration {
    pub(crate) fn read(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let configuration: Self = toml::from_str(&text).map_err(|error| error.to_string())?;
        for route in &configuration.routes {
            if !configuration.upstream.contains_key(&route.upstream) {
                return Err(format!("no upstream `{}`", route.upstream));
            }
        }
        Ok(configuration)
    }

    /// An exact location wins, then the longest prefix.
    pub(crate) fn upstream_of(&self, path: &[u8]) -> &str {
        let exact = self.routes.iter();
        let exact = exact
            .filter(|route| route.exact)
            .find(|route| route.path.as_bytes() == path);
        let prefixes = self
            .routes
            .iter()
            .filter(|route| !route.exact && path.starts_with(route.path.as_bytes()));
        let winner = exact.or_else(|| prefixes.max_by_key(|route| route.path.len()));
        winner.map_or("", |route| &route.upstream)
    }

    pub(crate) fn address(&self, upstream: &str) -> &str {
        self.upstream
            .get(upstream)
            .map_or("127.0.0.1:1", |upstream| &upstream.address)
    }

    pub(crate) fn pool(&self) -> usize {
        self.upstream.values().map(|upstream| upstream.pool).sum()
    }

    pub(crate) fn read_timeout(&self) -> Duration {
        Duration::from_millis(self.read_timeout_ms)
    }
}
