//! What can go wrong between the candidate and an upstream: a TCP relay and its faults, one a file.

mod delay;
mod half_close;
mod plan;
mod pump;
mod relay;
mod reset;
mod slice;
mod stall;

pub use relay::{Fault, Relay, RunningRelay, Way};
