//! What this model does not read: directives that the table lacks, code in other languages, variables of unknown
//! modules; and what a release of NGINX lacks.

mod lacking;
mod variables;
mod walk;

pub use lacking::{Lacking, Missing, lacking};
pub use walk::{Unread, UnreadKind, unread};
