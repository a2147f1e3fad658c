//! Which host names are served, and what the upstreams hear of them.

mod authority;
mod foreign_absolute_form;
mod missing_or_double_refused;
mod public_name;
mod spelling;
mod unknown_refused;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &public_name::SCENARIO,
    &unknown_refused::SCENARIO,
    &spelling::SCENARIO,
    &missing_or_double_refused::SCENARIO,
    &foreign_absolute_form::SCENARIO,
    &authority::SCENARIO,
];
