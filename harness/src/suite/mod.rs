//! Runs scenarios against a candidate and says what became of them.

mod event;
mod outcome;

pub use event::{Sink, SuiteEvent};
pub use outcome::{CandidateName, Outcome, SCHEMA, StaleGap, SuiteResult, Summary, Tool};
