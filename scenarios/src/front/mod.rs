//! What the tunnel server and the candidate make of each other.

mod alpn_split;
mod one_identity_per_connection;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &alpn_split::SCENARIO,
    &one_identity_per_connection::SCENARIO,
];
