//! What CPA records of its requests.

mod queue;
mod record;

pub(crate) use queue::UsageQueue;
pub(crate) use record::{Asker, Outcome, Record};
