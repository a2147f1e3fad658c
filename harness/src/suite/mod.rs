//! Runs scenarios against a candidate and says what became of them.

mod attempt;
mod control;
mod event;
mod filter;
mod judge;
mod on_stage;
mod outcome;
mod plan;
mod round;
mod runner;
mod shared;
mod sites;
mod tally;

pub use event::{Sink, SuiteEvent};
pub use filter::{Filter, Selection};
pub use outcome::{CandidateName, Outcome, SCHEMA, StaleGap, SuiteResult, Summary, Tool};
pub use plan::{Asked, Plan, PlanError};
pub use runner::Suite;
pub use sites::SitesResult;
