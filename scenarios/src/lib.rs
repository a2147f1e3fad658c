//! What is asked: one claim a file, `<topic>/<claim>.rs`.
//!
//! `identity/forged_forwarded_for.rs` is the model. A scenario that its topic does not list is dead code, and so a
//! warning; a file that its topic does not declare is found by `tests/every_file_is_listed.rs`.

mod abort;
mod answer;
mod at_once;
mod begun_stream;
mod circle;
mod client_address;
mod completion;
mod destination;
mod fallback;
mod front;
mod headers;
mod held_request;
mod host;
mod http;
mod identity;
mod lifecycle;
mod literal;
mod lock_step;
mod passed_on;
mod routes;
mod site;
mod socket;
mod streaming;
mod upload;
mod upstream;
mod websocket;

use proxyproof_harness::{Code, Scenario};

/// Every scenario, in report order.
pub fn all() -> Vec<&'static Scenario> {
    TOPICS.concat()
}

/// The scenario of this id.
pub fn named(id: &str) -> Option<&'static Scenario> {
    all().into_iter().find(|scenario| scenario.id == id)
}

/// The code of this name, with the scenarios that push it.
pub fn code(name: &str) -> Option<(Code, Vec<&'static Scenario>)> {
    let pushes = |scenario: &&Scenario| scenario.findings.iter().any(|code| code.name == name);
    let scenarios: Vec<&'static Scenario> = all().into_iter().filter(pushes).collect();
    let code = scenarios
        .first()?
        .findings
        .iter()
        .find(|code| code.name == name)?;
    Some((*code, scenarios))
}

/// The topics, in report order.
const TOPICS: &[&[&Scenario]] = &[
    site::SCENARIOS,
    routes::SCENARIOS,
    host::SCENARIOS,
    http::SCENARIOS,
    identity::SCENARIOS,
    headers::SCENARIOS,
    front::SCENARIOS,
    circle::SCENARIOS,
    streaming::SCENARIOS,
    upload::SCENARIOS,
    abort::SCENARIOS,
    websocket::SCENARIOS,
    upstream::SCENARIOS,
    lifecycle::SCENARIOS,
];
