//! Proptest strategies for route tables and request targets that live where the bugs live: neighbours of every
//! boundary, look-alikes, escapes, dot segments, double slashes, odd bytes, absolute form.

mod draft;
mod generator;
mod target;

pub use draft::{Draft, DraftLocation, draft, draft_without_regexes};
pub use generator::Generator;
pub use target::{path, target};
