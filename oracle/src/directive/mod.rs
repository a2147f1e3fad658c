//! What is known about NGINX's directives: one table (`table.tsv`), and the units their values have.
//!
//! A row of the table is a directive, its columns separated by tabs: the name; the contexts it may stand in; how blocks
//! merge it (`replaced`, `own`, `list`, `list=NAME` for one that several directives share); the unit of its arguments;
//! the default, `-` for none, and after ` @RELEASE ` what it is from that release on; the first release that has it; the
//! module or package it needs. `-` stands for what every release in use and every build has.

mod definition;
mod table;
mod value;
mod variable;

pub use definition::{Context, Definition, Merge, Unit};
pub use table::{definition, definition_in, definitions};
pub use value::{bytes, flag, time};
pub use variable::is_known_variable;
