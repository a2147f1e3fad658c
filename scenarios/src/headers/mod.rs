//! Fields that must arrive as they were sent, and those that must not.

mod accel_redirect_ignored;
mod answer_fields_intact;
mod conditions_intact;
mod connection_options;
mod cookies_joined;
mod credentials_intact;
mod doubtful_names;
mod hop_by_hop_removed;
mod large_answer_head;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &credentials_intact::SCENARIO,
    &cookies_joined::SCENARIO,
    &conditions_intact::SCENARIO,
    &answer_fields_intact::SCENARIO,
    &large_answer_head::SCENARIO,
    &accel_redirect_ignored::SCENARIO,
    &hop_by_hop_removed::SCENARIO,
    &connection_options::SCENARIO,
    &doubtful_names::SCENARIO,
];
