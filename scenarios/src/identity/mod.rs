//! Whose address and whose claims the upstreams believe.

mod client_address_v1;
mod client_address_v1_ipv6;
mod client_address_v2;
mod connection_strips_nothing;
mod forged_forwarded;
mod forged_forwarded_for;
mod forged_forwarded_host;
mod forged_real_ip;
mod forwarded_proto_https;
mod header_in_pieces;
mod header_required;
mod loopback_claim;
mod never_mixed;
mod unknown_is_not_local;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &client_address_v1::SCENARIO,
    &client_address_v1_ipv6::SCENARIO,
    &client_address_v2::SCENARIO,
    &forged_forwarded_for::SCENARIO,
    &forged_forwarded_host::SCENARIO,
    &forged_forwarded::SCENARIO,
    &forged_real_ip::SCENARIO,
    &connection_strips_nothing::SCENARIO,
    &forwarded_proto_https::SCENARIO,
    &header_required::SCENARIO,
    &header_in_pieces::SCENARIO,
    &never_mixed::SCENARIO,
    &unknown_is_not_local::SCENARIO,
    &loopback_claim::SCENARIO,
];
