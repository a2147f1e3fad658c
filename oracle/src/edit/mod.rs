//! Changes to a configuration in terms of its model: a directive set in a location, a field added to those it sends.

mod addition;
mod error;
mod list;
mod site_edits;

pub use error::EditError;
pub use site_edits::{EditedFile, SiteEdits};
