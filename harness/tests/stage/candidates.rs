//! Folders of candidates, and the deployment they are staged in.

use std::path::Path;

use proxyproof_harness::{Candidate, Deployment};
use tempfile::TempDir;

/// A candidate of a behaviour that the relay knows; the folder has to live until it is read.
pub(crate) fn relay(behaviour: &str) -> Candidate {
    let folder = folder(&format!("{behaviour}\n127.0.0.1:8003\n127.0.0.1:8317\n"));
    named(folder.path())
}

/// The candidate of a folder.
pub(crate) fn named(folder: &Path) -> Candidate {
    Candidate::named(folder.to_str().expect("a UTF-8 path")).expect("a right manifest")
}

/// A folder with the relay's manifest and this file.
pub(crate) fn folder(text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("candidate.toml"), MANIFEST).expect("writable");
    std::fs::write(folder.path().join("relay.conf"), text).expect("writable");
    folder
}

/// One HTTP/1.1 listener and CPA: the relay can't do more.
pub(crate) fn deployment() -> Deployment {
    Deployment::parse("relay.toml", DEPLOYMENT).expect("a right deployment")
}

const MANIFEST: &str = r#"
name = "relay"
about = "passes everything on"
features = ["proxy_protocol_v1", "http_one"]

[launch]
kind = "embedded"
arguments = ["__relay", "{{ work }}/relay.conf"]

[[file]]
name = "relay.conf"
"#;

const DEPLOYMENT: &str = r#"
name = "one-listener"

[hosts]
api = "api.example.org"

[[listener]]
address = "127.0.0.1:8003"
protocol = "h1"
proxy_protocol = "v1"

[upstream.cpa]
address = "127.0.0.1:8317"

[[route]]
location = "/"
upstream = "cpa"

[limits]
request_body = "1m"
read_timeout = "60s"
send_timeout = "60s"

[[fallback]]
name = "api.example.org"
dest = "127.0.0.1:8003"
xver = 1
"#;
