//! Request bodies on their way.

mod early_answer;
mod expect_continue;
mod framing_kept;
mod intact;
mod limit_accepted;
mod over_limit_chunked;
mod over_limit_length;
mod passed_on_elsewhere;
mod passed_on_responses;
mod refusal_readable;
mod zstd_untouched;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &passed_on_responses::SCENARIO,
    &passed_on_elsewhere::SCENARIO,
    &intact::SCENARIO,
    &framing_kept::SCENARIO,
    &over_limit_length::SCENARIO,
    &over_limit_chunked::SCENARIO,
    &refusal_readable::SCENARIO,
    &limit_accepted::SCENARIO,
    &early_answer::SCENARIO,
    &expect_continue::SCENARIO,
    &zstd_untouched::SCENARIO,
];
