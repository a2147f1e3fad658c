//! The whole circle: a request, what it leaves behind, and where that is seen.

mod completion_is_counted;
mod usage_queue_is_cpas;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &completion_is_counted::SCENARIO,
    &usage_queue_is_cpas::SCENARIO,
];
