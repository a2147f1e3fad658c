//! The report that people read.

mod exhibit;
mod finding;
mod frame;
mod notes;
mod page;
mod styles;
mod summary;
mod trouble;

pub(crate) use finding::finding_text;
pub use page::{Detail, Terminal};
pub use styles::Styles;
