//! Whose address and whose claims the upstreams believe.

mod forged_forwarded_for;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[&forged_forwarded_for::SCENARIO];
