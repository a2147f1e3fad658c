//! Which path goes to which program.

mod above_root_refused;
mod absolute_form;
mod bad_encoding_refused;
mod case_matters;
mod dot_segments;
mod double_slashes;
mod encoded_slash;
mod every_method;
mod exact_ignores_query;
mod exact_is_exact;
mod location_untouched;
mod long_target;
mod longest_prefix_wins;
mod path_confusion;
mod percent_decoding;
mod prefix_is_anchored;
mod semicolon_is_ordinary;
mod slash_redirect_keeps_method;
mod slash_redirect_public;
mod table;
mod target_forwarded_raw;
mod unlawful_bytes;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &table::SCENARIO,
    &exact_ignores_query::SCENARIO,
    &exact_is_exact::SCENARIO,
    &longest_prefix_wins::SCENARIO,
    &prefix_is_anchored::SCENARIO,
    &case_matters::SCENARIO,
    &percent_decoding::SCENARIO,
    &encoded_slash::SCENARIO,
    &dot_segments::SCENARIO,
    &double_slashes::SCENARIO,
    &semicolon_is_ordinary::SCENARIO,
    &target_forwarded_raw::SCENARIO,
    &unlawful_bytes::SCENARIO,
    &above_root_refused::SCENARIO,
    &bad_encoding_refused::SCENARIO,
    &slash_redirect_public::SCENARIO,
    &slash_redirect_keeps_method::SCENARIO,
    &location_untouched::SCENARIO,
    &absolute_form::SCENARIO,
    &long_target::SCENARIO,
    &every_method::SCENARIO,
    &path_confusion::SCENARIO,
];
