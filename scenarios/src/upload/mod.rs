//! Request bodies on their way.

mod early_answer;
mod intact;
mod limit_accepted;
mod over_limit_length;
mod passed_on_elsewhere;
mod passed_on_responses;
mod zstd_untouched;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &passed_on_responses::SCENARIO,
    &passed_on_elsewhere::SCENARIO,
    &intact::SCENARIO,
    &over_limit_length::SCENARIO,
    &limit_accepted::SCENARIO,
    &early_answer::SCENARIO,
    &zstd_untouched::SCENARIO,
];
