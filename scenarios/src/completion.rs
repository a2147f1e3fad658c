//! Completions, as clients of an AI gateway ask for them.

use proxyproof_harness::{Ask, Request};

/// The API key of the mock gateway.
const API_KEY: &str = "test-key";

/// A POST of this JSON to a completion route, with a valid key.
pub(crate) fn completion(ask: &Ask<'_>, path: &'static str, body: &'static str) -> Request {
    let request = ask
        .request("POST", path)
        .header("Content-Type", "application/json");
    request
        .header("Authorization", format!("Bearer {API_KEY}"))
        .body(body)
}
