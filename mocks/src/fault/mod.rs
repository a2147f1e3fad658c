//! What can go wrong between the candidate and an upstream: a TCP relay and its faults, one a file.

mod relay;

pub use relay::{Fault, Relay, RunningRelay, Way};
