//! Who gets in: safe mode, API keys, management keys.

use super::answer::{empty, gin_json, json_answer, management_empty};
use super::api_key::{Presented, has_example_key};
use super::client_address::client_address;
use super::management::presented_key;
use super::route::{Endpoint, Guard};
use super::state::State;
use crate::upstream::Request;
use crate::wire::http1::Response;

pub(crate) fn safe_mode(state: &State, request: &Request, path: &str) -> Option<Response> {
    if !has_example_key(state.settings().api_keys()) {
        return None;
    }
    let ai = ["/v1", "/v1beta", "/openai/v1", "/backend-api/codex"]
        .into_iter()
        .any(|prefix| path == prefix || path.starts_with(&format!("{prefix}/")));
    if ai {
        let answer = gin_json(403, EXAMPLE_KEY);
        return Some(answer.field("X-Cpa-Safe-Mode", "example-api-key"));
    }
    let configuring = request.query_value("safe-mode").as_deref() == Some("configure");
    let warned = match path {
        "/" => true,
        "/management.html" => !configuring,
        _ => false,
    };
    let page = empty(200)
        .field("Cache-Control", "no-store")
        .field("Content-Type", "text/html; charset=utf-8");
    match request.method() {
        "GET" if warned => Some(page.body(WARNING_PAGE)),
        "HEAD" if warned => Some(page),
        _ => None,
    }
}

/// The answer where there is no route: under management's path only after authentication.
pub(crate) fn nowhere(state: &State, request: &Request, path: &str) -> Response {
    let under_management = path == "/v0/management" || path.starts_with("/v0/management/");
    if !under_management || !state.manages() {
        return empty(404);
    }
    match admit_management(state, request) {
        Ok(()) => management_empty(404),
        Err(refusal) => refusal,
    }
}

/// The API key that let the request in (empty where none is asked for).
pub(crate) fn admitted(
    state: &State,
    request: &Request,
    endpoint: Endpoint,
    path: &str,
) -> Result<String, Box<Response>> {
    match endpoint.guard() {
        Guard::Open => Ok(String::new()),
        Guard::ApiKey => presented(request)
            .admit(state.settings().api_keys())
            .map_err(|refusal| Box::new(gin_json(401, refusal.body(path)))),
        Guard::Management => admit_management(state, request)
            .map(|()| String::new())
            .map_err(Box::new),
    }
}

fn admit_management(state: &State, request: &Request) -> Result<(), Response> {
    let forwarded_for = request.first("X-Forwarded-For");
    let real_ip = request.first("X-Real-IP");
    let address = client_address(forwarded_for.as_deref(), real_ip.as_deref(), request.peer());
    let authorization = request.first("Authorization");
    let other = request.first("X-Management-Key");
    let key = presented_key(authorization.as_deref(), other.as_deref());
    state
        .admit_management(address, key)
        .map_err(|refusal| json_answer(refusal.status(), refusal.body()))
}

fn presented(request: &Request) -> Presented {
    let field = |name: &str| request.first(name).map(|value| value.into_owned());
    Presented {
        authorization: field("Authorization"),
        x_goog_api_key: field("X-Goog-Api-Key"),
        x_api_key: field("X-Api-Key"),
        query_key: request.query_value("key"),
        query_auth_token: request.query_value("auth_token"),
    }
}

const EXAMPLE_KEY: &str = concat!(
    r#"{"error":"unsafe_example_api_key","message":"Proxy API endpoints are disabled because "#,
    r#"api-keys contains template values. Open /management.html?safe-mode=configure, update "#,
    r#"api-keys in Management, then retry."}"#
);

const WARNING_PAGE: &str = "<!doctype html><title>Unsafe API keys</title>\
     <p>api-keys contains template values. Update them, then retry.</p>\n";
