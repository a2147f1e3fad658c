//! Route tables: which location takes a path, and why.

mod notation;

pub use notation::{Modifier, Notation, NotationError};
