//! Whether the site answers at all.

mod answers;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[&answers::SCENARIO];
