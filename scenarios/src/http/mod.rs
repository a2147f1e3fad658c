//! What the listener takes for a request.

mod bad_chunks;
mod bodyless_answers;
mod duplicate_length;
mod early_hints;
mod http_1_0_client;
mod length_and_chunked;
mod malformed_fields;
mod many_streams;
mod odd_transfer_encodings;
mod pipelined_in_order;
mod refused_request_leaves_others_alone;
mod reset_spares_others;
mod slow_head;
mod trace_and_connect;
mod trailers;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &length_and_chunked::SCENARIO,
    &duplicate_length::SCENARIO,
    &odd_transfer_encodings::SCENARIO,
    &bad_chunks::SCENARIO,
    &malformed_fields::SCENARIO,
    &pipelined_in_order::SCENARIO,
    &bodyless_answers::SCENARIO,
    &http_1_0_client::SCENARIO,
    &slow_head::SCENARIO,
    &many_streams::SCENARIO,
    &reset_spares_others::SCENARIO,
    &trace_and_connect::SCENARIO,
    &trailers::SCENARIO,
    &early_hints::SCENARIO,
    &refused_request_leaves_others_alone::SCENARIO,
];
