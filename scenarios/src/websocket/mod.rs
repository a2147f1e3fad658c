//! Connections that stop being HTTP.

mod close_codes;
mod early_frames;
mod extended_connect;
mod failure_spares_the_turn;
mod fallback_at_once;
mod fields_intact;
mod http_version;
mod messages_intact;
mod only_websocket;
mod plain_requests_stay_plain;
mod refusal_delivered;
mod upgrade;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &upgrade::SCENARIO,
    &fields_intact::SCENARIO,
    &early_frames::SCENARIO,
    &http_version::SCENARIO,
    &messages_intact::SCENARIO,
    &close_codes::SCENARIO,
    &only_websocket::SCENARIO,
    &plain_requests_stay_plain::SCENARIO,
    &refusal_delivered::SCENARIO,
    &fallback_at_once::SCENARIO,
    &failure_spares_the_turn::SCENARIO,
    &extended_connect::SCENARIO,
];
