//! The whole circle: a request, what it leaves behind, and where that is seen.

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[];
