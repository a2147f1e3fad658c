//! What the `routes` commands say: values that render as text, tab-separated lines, Markdown or JSON.

mod check;
mod config;
mod confusion;
mod diff;
mod listing;
mod matches;
mod report;

pub use check::{Check, Want, check};
pub use config::{Config, ConfigErrors};
pub use confusion::{Confusion, confusions};
pub use diff::{Diff, diff};
pub use listing::{Listing, ListingRow, ServerListing, listing};
pub use matches::{MatchRow, match_target};
pub use report::{Class, Proved};
