//! The handlers of the private copy: proxies connect to the stage's mocks, and to nothing else.

use serde_json::{Map, Value, json};

use super::place::Place;
use super::places::Places;

/// Turns every proxy to the stage, and takes out what speaks to others, however deep it stands.
pub(super) fn confine(value: &mut Value, upstreams: &Places) {
    match value {
        Value::Object(object) => {
            if let Some(handlers) = object.get_mut("handle").and_then(Value::as_array_mut) {
                handlers.retain(|one| !TAKEN_OUT.iter().any(|name| one["handler"] == *name));
            }
            if object
                .get("handler")
                .is_some_and(|name| name == "reverse_proxy")
            {
                confine_proxy(object, upstreams);
            }
            let inner = object.values_mut();
            inner.for_each(|inner| confine(inner, upstreams));
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|inner| confine(inner, upstreams)),
        _ => {}
    }
}

fn confine_proxy(proxy: &mut Map<String, Value>, upstreams: &Places) {
    confine_destinations(proxy, upstreams);
    let transport = proxy.get_mut("transport").and_then(Value::as_object_mut);
    if let Some(transport) = transport {
        transport.retain(|name, _| !TRANSPORT.contains(&name.as_str()));
        // HTTP/3, which Caddy speaks to upstreams only by itself, is over UDP.
        let udp = |versions: &Value| *versions == json!(["3"]);
        transport.retain(|name, said| name != "versions" || !udp(said));
    }
    let checks = proxy.get_mut("health_checks");
    let active = checks.and_then(|checks| checks.get_mut("active"));
    if let Some(active) = active.and_then(Value::as_object_mut) {
        // They ask the upstream itself, then.
        active.retain(|name, _| name != "port" && name != "upstream");
    }
}

/// Of several servers the stage has those that are the deployment's; a proxy without any of them leads nowhere.
fn confine_destinations(proxy: &mut Map<String, Value>, upstreams: &Places) {
    // What is looked up is asked of whatever name server the machine has.
    proxy.retain(|name, _| name != "dynamic_upstreams");
    let said = proxy.get("upstreams").and_then(Value::as_array);
    let mut staged = Vec::new();
    for destination in said.into_iter().flatten().filter_map(Value::as_object) {
        let dial = destination.get("dial").and_then(Value::as_str);
        let place = Place::destination(dial.unwrap_or_default());
        if let Some(own) = upstreams.written_for(&place) {
            let mut destination = destination.clone();
            destination.retain(|name, _| name != "lookup_srv");
            destination.insert("dial".to_owned(), own.into());
            staged.push(destination.into());
        }
    }
    if staged.is_empty() {
        staged.push(json!({ "dial": NOWHERE }));
    }
    proxy.insert("upstreams".to_owned(), staged.into());
}

/// A socket in the private directory that nobody makes.
const NOWHERE: &str = "unix/nowhere.sock";
/// One has authorities, which go into the machine's trust store; the other sends its spans to a collector.
const TAKEN_OUT: [&str; 2] = ["acme_server", "tracing"];
/// What leads past the destination: name servers, other proxies, an address to connect from; and TLS, which a mock does not
/// speak, and whose certificates and authorities may be asked for elsewhere.
const TRANSPORT: [&str; 5] = [
    "resolver",
    "forward_proxy_url",
    "network_proxy",
    "local_address",
    "tls",
];
