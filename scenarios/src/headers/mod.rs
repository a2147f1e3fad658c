//! Fields that must arrive as they were sent, and those that must not.

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[];
