//! What an adapted configuration says about one of its servers.

use serde_json::{Map, Value};

use super::place::Place;
use super::places::Places;

/// One server of the HTTP app, as adapted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server<'a> {
    http: &'a Value,
    server: &'a Value,
}

impl<'a> Server<'a> {
    /// A server of this HTTP app.
    pub(super) fn new(http: &'a Value, server: &'a Value) -> Self {
        Self { http, server }
    }

    /// Every server of a configuration, in its order.
    pub(super) fn all(adapted: &'a Value) -> impl Iterator<Item = Self> {
        let http = &adapted["apps"]["http"];
        let servers = http["servers"].as_object().into_iter().flatten();
        servers.map(move |(_, server)| Self { http, server })
    }

    /// Where it listens, as written.
    pub(super) fn listens(self) -> impl Iterator<Item = &'a str> {
        texts(&self.server["listen"])
    }

    /// Whether a listener of its has this place.
    pub(super) fn opens(self, place: &Place) -> bool {
        let mut open = self.listens().map(Place::listener);
        open.any(|open| open.has(place))
    }

    /// Whether it is where the deployment's candidate listens.
    pub(super) fn is_at(self, listeners: &Places) -> bool {
        let mut open = self.listens().map(Place::listener);
        open.any(|open| listeners.written_for(&open).is_some())
    }

    /// Whether one of its proxies connects to an upstream of the deployment.
    pub(super) fn leads_to(self, upstreams: &Places) -> bool {
        leads(self.server, upstreams)
    }

    /// The first host of a site that leads to an upstream of the deployment: a name without wildcard or placeholder.
    pub(super) fn host(self, upstreams: &Places) -> Option<&'a str> {
        self.routes_to(upstreams)
            .find_map(|route| hosts(route).find(|host| !host.contains(['*', '{'])))
    }

    /// Its sites that lead to an upstream of the deployment.
    pub(super) fn routes_to(self, upstreams: &Places) -> impl Iterator<Item = &'a Value> {
        array(&self.server["routes"]).filter(|route| leads(route, upstreams))
    }

    /// Whether its listeners end TLS: where it has a policy, or automatic HTTPS would give it one.
    pub(super) fn ends_tls(self) -> bool {
        let any_but = |usual| self.ports().any(|port| port != Some(usual));
        let (http, https) = (self.usual("http_port", 80), self.usual("https_port", 443));
        if !any_but(http) {
            return false;
        }
        let policies = &self.server["tls_connection_policies"];
        if policies.as_array().is_some_and(|them| !them.is_empty()) {
            return true;
        }
        self.server["automatic_https"]["disable"] != true && (!any_but(https) || self.has_names())
    }

    /// Whether its listeners read a PROXY header.
    pub(super) fn reads_header(self) -> bool {
        array(&self.server["listener_wrappers"])
            .any(|wrapper| wrapper["wrapper"] == "proxy_protocol")
    }

    /// Whether it speaks a protocol, by Caddy's name: `h1`, `h2` (behind TLS), `h2c`, `h3`.
    pub(super) fn speaks(self, protocol: &str) -> bool {
        match self.server["protocols"].as_array() {
            Some(said) if !said.is_empty() => said.iter().any(|one| one == protocol),
            _ => ["h1", "h2", "h3"].contains(&protocol),
        }
    }

    fn ports(self) -> impl Iterator<Item = Option<u16>> {
        self.listens()
            .map(|written| Place::listener(written).port())
    }

    fn usual(self, name: &str, port: u16) -> u16 {
        let said = self.http[name].as_u64();
        said.and_then(|port| port.try_into().ok()).unwrap_or(port)
    }

    /// Whether automatic HTTPS finds a name to have a certificate for.
    fn has_names(self) -> bool {
        let skipped =
            |host: &str| texts(&self.server["automatic_https"]["skip"]).any(|one| one == host);
        array(&self.server["routes"])
            .flat_map(hosts)
            .any(|host| !host.contains('{') && !skipped(host))
    }
}

/// Every destination of a proxy below this value, as written.
pub(super) fn dials(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    each_object(value, &mut |object| {
        if object
            .get("handler")
            .is_some_and(|name| name == "reverse_proxy")
        {
            let upstreams = object.get("upstreams").into_iter().flat_map(array);
            found.extend(upstreams.filter_map(|one| one["dial"].as_str()));
        }
    });
    found
}

/// Looks at a value's objects, however deep.
pub(super) fn each_object<'v>(value: &'v Value, look: &mut impl FnMut(&'v Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            look(object);
            object.values().for_each(|inner| each_object(inner, look));
        }
        Value::Array(values) => values.iter().for_each(|inner| each_object(inner, look)),
        _ => {}
    }
}

fn leads(value: &Value, upstreams: &Places) -> bool {
    let mut dials = dials(value).into_iter();
    dials.any(|dial| upstreams.written_for(&Place::destination(dial)).is_some())
}

/// The hosts that a route is for.
fn hosts(route: &Value) -> impl Iterator<Item = &str> {
    array(&route["match"]).flat_map(|matcher| texts(&matcher["host"]))
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    array(value).filter_map(Value::as_str)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
