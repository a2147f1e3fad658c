//! Answers that arrive while they are written.

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[];
