//! What one side hears when the other one goes away.

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[];
