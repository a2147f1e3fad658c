//! Completions, as clients of an AI gateway ask for them.

use proxyproof_harness::{Ask, Request};

/// The API key of the mock gateway.
const API_KEY: &str = "test-key";

/// How clients of this site ask for a path that CPA knows; where no route leads there, as CPA's own clients do.
pub(crate) fn at_cpa(ask: &Ask<'_>, path: &str) -> String {
    let deployment = ask.deployment();
    let mut upstreams = deployment.upstreams.iter();
    let cpa = upstreams.find(|(_, upstream)| upstream.kind.name == "cpa");
    cpa.and_then(|(name, _)| deployment.client_target(name, path))
        .unwrap_or_else(|| path.to_owned())
}

/// A POST of this JSON to a completion route, with a valid key.
pub(crate) fn completion(ask: &Ask<'_>, path: &'static str, body: &'static str) -> Request {
    let request = ask
        .request("POST", at_cpa(ask, path))
        .header("Content-Type", "application/json");
    request
        .header("Authorization", format!("Bearer {API_KEY}"))
        .body(body)
}
