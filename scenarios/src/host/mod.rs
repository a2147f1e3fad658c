//! Which host names are served, and what the upstreams hear of them.

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[];
