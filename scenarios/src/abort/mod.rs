//! What one side hears when the other one goes away.

mod before_answer;
mod idle_stream;
mod mid_upload;
mod websocket;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &before_answer::SCENARIO,
    &idle_stream::SCENARIO,
    &mid_upload::SCENARIO,
    &websocket::SCENARIO,
];
