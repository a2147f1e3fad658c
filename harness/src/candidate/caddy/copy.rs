//! The private copy of an adapted Caddyfile: pure, from JSON to JSON.

use serde_json::{Map, Value, json};

use super::places::Places;
use super::{listeners, proxies};
use crate::candidate::CERTIFICATE;

/// How the private copy of a Caddyfile differs from what Caddy makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaddyCopy {
    /// The user's text: what a test of the reload writes in its place goes to Caddy as it is.
    pub(super) text: String,
    /// What Caddy made of the text, in its native language.
    pub(super) adapted: Value,
    /// The deployment's listeners.
    pub(super) listeners: Places,
    /// The addresses of the deployment's programs.
    pub(super) upstreams: Places,
}

impl CaddyCopy {
    /// The text of the private copy.
    pub(in crate::candidate) fn text(&self, text: &str) -> String {
        if text == self.text {
            format!("{:#}\n", self.confined())
        } else {
            text.to_owned()
        }
    }

    /// The configuration that keeps to the stage, with the deployment's addresses where the stage's will be.
    ///
    /// Paths are relative: the candidate is started in its private directory, whose own path may be too long for a socket.
    pub(super) fn confined(&self) -> Value {
        let mut copy = self.adapted.clone();
        copy["admin"] = admin(&self.adapted["admin"]);
        copy["storage"] = json!({ "module": "file_system", "root": "storage" });
        if let Some(logging) = copy.get_mut("logging").and_then(Value::as_object_mut) {
            confine_logging(logging);
        }
        if let Some(apps) = copy.get_mut("apps").and_then(Value::as_object_mut) {
            // Authorities of its own would go into the machine's trust store; events start programs.
            apps.retain(|name, _| name != "pki" && name != "events");
            apps.insert("tls".to_owned(), certificates());
            if let Some(http) = apps.get_mut("http") {
                listeners::confine(http, &self.listeners, &self.upstreams);
                proxies::confine(http, &self.upstreams);
            }
        }
        copy
    }
}

/// An endpoint in the private directory, so that the copy can be loaded anew; nothing of it is kept for a next start, and no
/// configuration is fetched.
fn admin(said: &Value) -> Value {
    let mut admin = json!({ "listen": "unix/admin.sock", "config": { "persist": false } });
    if said["disabled"] == true {
        admin["disabled"] = true.into();
    }
    admin
}

/// The stage's certificate alone: nobody is asked for another, and no authority is made.
fn certificates() -> Value {
    json!({ "certificates": { "load_files": [{ "certificate": CERTIFICATE, "key": CERTIFICATE }] } })
}

fn confine_logging(logging: &mut Map<String, Value>) {
    if let Some(sink) = logging.get_mut("sink") {
        confine_writer(sink, json!({ "output": "stderr" }));
    }
    let logs = logging.get_mut("logs").and_then(Value::as_object_mut);
    for (number, (name, log)) in logs.into_iter().flatten().enumerate() {
        // A candidate's last words are looked for where its errors go.
        let writer = match &**name {
            "default" => json!({ "output": "stderr" }),
            _ => json!({ "output": "file", "filename": format!("log-{number}.log") }),
        };
        confine_writer(log, writer);
    }
}

/// A log that goes to a file or over a network goes to this place; a core, which only a plugin has, may go anywhere.
fn confine_writer(log: &mut Value, own: Value) {
    let Some(log) = log.as_object_mut() else {
        return;
    };
    log.retain(|name, _| name != "core");
    if let Some(writer) = log.get_mut("writer") {
        let output = writer["output"].as_str().unwrap_or("stderr");
        if !["stderr", "stdout", "discard"].contains(&output) {
            *writer = own;
        }
    }
}
