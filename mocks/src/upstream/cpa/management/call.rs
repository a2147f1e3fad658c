//! The management calls themselves, once their caller is let in.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::setting::{BadChange, Settings};
use crate::upstream::Request;
use crate::upstream::cpa::answer::{json_answer, management_empty};
use crate::upstream::cpa::go_json::go_json;
use crate::upstream::cpa::route::ManagementCall;
use crate::upstream::cpa::state::State;
use crate::wire::http1::Response;

/// Answers a management call. `pattern` is its route.
pub(crate) fn call(
    state: &State,
    call: ManagementCall,
    pattern: &'static str,
    request: &Request,
    body: &Bytes,
) -> Response {
    let name = pattern.trim_start_matches("/v0/management/");
    match call {
        ManagementCall::UsageQueue => usage_queue(state, request),
        ManagementCall::Config => shown(&read(state, Settings::config)),
        ManagementCall::Setting => setting(state, name, request.method(), body),
        ManagementCall::List => api_keys(state, request, body),
        ManagementCall::Collection => collection(state, name, request.method(), body),
        ManagementCall::AuthFiles if request.method() == "GET" => shown(&json!({"files": []})),
        ManagementCall::Report => report(name),
        ManagementCall::ConfigYaml => config_yaml(state, request.method()),
        ManagementCall::LatestVersion => refused(502, "failed to fetch latest version"),
        ManagementCall::AuthFiles | ManagementCall::Unavailable => unavailable(name),
    }
}

fn usage_queue(state: &State, request: &Request) -> Response {
    let count = request.query_value("count").unwrap_or_default();
    let count = match count.trim() {
        "" => 1,
        count => match count.parse::<usize>() {
            Ok(count) if count > 0 => count,
            _ => return refused(400, "count must be a positive integer"),
        },
    };
    let records = state.queue().pop(count, Instant::now());
    json_answer(200, format!("[{}]", records.join(",")))
}

fn setting(state: &State, path: &str, method: &str, body: &[u8]) -> Response {
    match method {
        "GET" => shown(&read(state, |settings| settings.scalar(path))),
        "DELETE" => changed(change(state, |settings| {
            settings.clear_scalar(path);
            Ok(())
        })),
        _ => changed(change(state, |settings| settings.set_scalar(path, body))),
    }
}

fn api_keys(state: &State, request: &Request, body: &[u8]) -> Response {
    match request.method() {
        "GET" => shown(&json!({"api-keys": state.settings().api_keys()})),
        "PUT" => changed(change(state, |settings| settings.set_api_keys(body))),
        "PATCH" => changed(change(state, |settings| settings.change_api_key(body))),
        _ => {
            let (index, value) = (request.query_value("index"), request.query_value("value"));
            changed(change(state, |settings| {
                settings.remove_api_key(index.as_deref(), value.as_deref())
            }))
        }
    }
}

fn collection(state: &State, name: &'static str, method: &str, body: &[u8]) -> Response {
    match method {
        "GET" => shown(&read(state, |settings| settings.collection(name))),
        "PUT" => changed(change(state, |settings| {
            settings.set_collection(name, body)
        })),
        _ => changed(Err(BadChange::Body)),
    }
}

fn report(name: &str) -> Response {
    match name {
        "get-auth-status" => shown(&json!({"status": "ok"})),
        "request-error-logs" => shown(&json!({"files": []})),
        "plugins" => shown(&json!({"plugins": []})),
        _ => shown(&json!({})),
    }
}

/// What CPA answers that has no log, file, plugin or account of that name, or is asked without one.
fn unavailable(name: &str) -> Response {
    let (status, error) = match name {
        "logs" => (400, "logging to file disabled"),
        "request-error-logs/:name" => (404, "log file not found"),
        "request-log-by-id/:id" => (404, "log file not found for the given request ID"),
        "auth-files/download" => (400, "invalid name"),
        "auth-files" | "vertex/import" => (400, "file required"),
        "auth-files/models" | "auth-files/status" | "auth-files/fields" => {
            (400, "name is required")
        }
        "model-definitions/:channel" => (400, "unknown channel"),
        "oauth-session" => (400, "state is required"),
        "api-call" | "reset-quota" => (400, "invalid body"),
        name if name.ends_with("-auth-url") => (500, "failed to generate authorization url"),
        name if name.starts_with("plugin") => (404, "plugin_not_found"),
        _ => return management_empty(404),
    };
    refused(status, error)
}

fn config_yaml(state: &State, method: &str) -> Response {
    if method != "GET" {
        return refused(400, "invalid_yaml");
    }
    let keys: String = state
        .settings()
        .api_keys()
        .iter()
        .map(|key| format!("  - {}\n", Value::from(key.as_str())))
        .collect();
    management_empty(200)
        .field("Cache-Control", "no-store")
        .field("Content-Type", "application/yaml; charset=utf-8")
        .field("X-Content-Type-Options", "nosniff")
        .body(format!("api-keys:\n{keys}"))
}

fn read<T>(state: &State, look: impl FnOnce(&Settings) -> T) -> T {
    look(&state.settings())
}

fn change(
    state: &State,
    change: impl FnOnce(&mut Settings) -> Result<(), BadChange>,
) -> Result<(), BadChange> {
    change(&mut state.settings_to_change())
}

fn shown(value: &Value) -> Response {
    json_answer(200, go_json(value))
}

fn changed(change: Result<(), BadChange>) -> Response {
    match change {
        Ok(()) => shown(&json!({"status": "ok"})),
        Err(bad) => refused(400, &bad.to_string()),
    }
}

fn refused(status: u16, message: &str) -> Response {
    json_answer(status, go_json(&json!({"error": message})))
}
