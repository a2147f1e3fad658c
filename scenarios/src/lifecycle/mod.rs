//! Reload and stop.

mod bad_configuration_refused;
mod reload_applies;
mod reload_keeps_streams;
mod stop_drains;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &reload_keeps_streams::SCENARIO,
    &reload_applies::SCENARIO,
    &bad_configuration_refused::SCENARIO,
    &stop_drains::SCENARIO,
];
