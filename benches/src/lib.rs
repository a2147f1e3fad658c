//! How fast: load generation and comparison.
//!
//! A benchmark stages every contender once, asks them in turn, round after round, and compares round by round, so that what
//! a noisy machine does to one of them it does to all. [`client`] asks, with what is in [`load`]; [`contest`] takes turns; [`estimate`] says what the
//! rounds are worth; [`report`] is what came of it.

pub mod client;
pub mod contest;
pub mod estimate;
mod histogram;
pub mod load;
mod machine;
pub mod objective;
mod placement;
pub mod profile;
mod question;
pub mod report;
mod site;
pub mod sweep;

pub use self::contest::Contest;
pub use self::placement::Placement;
pub use self::profile::Profile;
pub use self::report::Report;
