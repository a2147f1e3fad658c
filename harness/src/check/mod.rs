//! What a scenario says about what it saw. Every check pushes a complete finding for a mismatch, and none stops the scenario.
//!
//! A check takes what was seen, then what is expected, then the [`Code`](crate::finding::Code) to push. Those that a
//! scenario can't go on without give what they looked for, or nothing.

mod answered;
mod arrived;
mod body;
mod checks;
mod field;
mod stream;

pub use checks::{Checks, THE_CANDIDATE_DIED, THE_EXCHANGE_BROKE_OFF, THE_SITE_STOPPED};
