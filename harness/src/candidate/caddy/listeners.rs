//! The servers of the private copy: the stage's listeners and certificate, and nobody else's.

use serde_json::{Map, Value, json};

use super::place::Place;
use super::places::Places;
use super::server::Server;

/// Puts every listener on the stage, or on a socket in the private directory; no certificate is asked for.
///
/// Where two servers open the same address, each of one family, it is for the one that leads to the deployment's upstreams.
pub(super) fn confine(http: &mut Value, listeners: &Places, upstreams: &Places) {
    let before = http.clone();
    let servers = http.get_mut("servers").and_then(Value::as_object_mut);
    let servers = servers.into_iter().flatten();
    let mut servers: Vec<(Server<'_>, &mut Value)> = servers
        .map(|(name, server)| (Server::new(&before, &before["servers"][name]), server))
        .collect();
    servers.sort_by_key(|(said, _)| !said.leads_to(upstreams));
    let mut stage = Listeners {
        deployment: listeners,
        taken: Vec::new(),
        sockets: 0,
    };
    for (said, server) in servers {
        let ends_tls = said.ends_tls();
        let Some(server) = server.as_object_mut() else {
            continue;
        };
        stage.confine(server);
        server.retain(|name, _| !TAKEN_OUT.contains(&name.as_str()));
        server.insert("automatic_https".to_owned(), json!({ "disable": true }));
        server.insert("protocols".to_owned(), without_udp(server.get("protocols")));
        if ends_tls {
            server.insert(POLICIES.to_owned(), policies(server.get(POLICIES)));
        }
    }
}

/// Which listeners of the deployment are given away.
struct Listeners<'a> {
    deployment: &'a Places,
    taken: Vec<&'a str>,
    sockets: usize,
}

impl<'a> Listeners<'a> {
    fn confine(&mut self, server: &mut Map<String, Value>) {
        let written = server.get("listen").and_then(Value::as_array);
        let written = written.cloned().unwrap_or_default();
        let protocols = server.get(BY_LISTENER).and_then(Value::as_array).cloned();
        let (mut listen, mut spoken) = (Vec::new(), Vec::new());
        for (index, written) in written.iter().enumerate() {
            let here = self.of(written.as_str().unwrap_or_default());
            if let Some(protocols) = &protocols {
                let own = without_udp(protocols.get(index));
                spoken.extend(here.iter().map(|_| own.clone()));
            }
            listen.extend(here.into_iter().map(Value::String));
        }
        server.insert("listen".to_owned(), listen.into());
        if protocols.is_some() {
            server.insert(BY_LISTENER.to_owned(), spoken.into());
        }
    }

    /// What takes the place of a listener. An address serves once: a second server there has a socket.
    fn of(&mut self, written: &str) -> Vec<String> {
        let place = Place::listener(written);
        let known = self.deployment.within(&place);
        let free: Vec<&str> = known.filter(|one| !self.taken.contains(one)).collect();
        if free.is_empty() {
            self.sockets += 1;
            return vec![format!("unix/listen-{}.sock", self.sockets)];
        }
        self.taken.extend(&free);
        free.into_iter().map(str::to_owned).collect()
    }
}

/// HTTP/3 is over UDP. Null, and an empty list, mean the usual ones.
fn without_udp(said: Option<&Value>) -> Value {
    let said = said.and_then(Value::as_array);
    let said = said.into_iter().flatten().filter(|one| *one != "h3");
    match said.cloned().collect::<Vec<Value>>() {
        none if none.is_empty() => json!(["h1", "h2"]),
        rest => rest.into(),
    }
}

/// Policies without what chooses a certificate, asks for a client's, or writes keys down; a server without a policy would
/// have no TLS once automatic HTTPS is off.
fn policies(said: Option<&Value>) -> Value {
    let said = said.and_then(Value::as_array).into_iter().flatten();
    let mut policies: Vec<Value> = said.cloned().collect();
    for policy in policies.iter_mut().filter_map(Value::as_object_mut) {
        policy.retain(|name, _| POLICY.contains(&name.as_str()));
    }
    if policies.is_empty() {
        policies.push(json!({}));
    }
    policies.into()
}

const POLICIES: &str = "tls_connection_policies";
/// Protocols for each listener, in the order of `listen`.
const BY_LISTENER: &str = "listen_protocols";
/// What HTTP/3 alone has.
const TAKEN_OUT: [&str; 3] = ["packet_conn_wrappers", "experimental_http3", "allow_0rtt"];
/// What a policy may say on the stage.
const POLICY: [&str; 9] = [
    "match",
    "cipher_suites",
    "curves",
    "alpn",
    "protocol_min",
    "protocol_max",
    "default_sni",
    "fallback_sni",
    "drop",
];
