//! Tells what a run found out. Every report is made from a [`SuiteResult`](crate::suite::SuiteResult) alone.

mod change;
mod json;
mod junit;
mod matrix;
mod standing;
mod terminal;

pub use json::{read_json, schema, write_json};
pub use junit::write_junit;
pub use matrix::{Column, Matrix, Rows};
pub use terminal::{Detail, Styles, Terminal};
