//! What is known about NGINX's directives: one table (`table.tsv`), and the units their values have.

mod definition;
mod table;
mod value;
mod variable;

pub use definition::{Context, Definition, Merge, Unit};
pub use table::{definition, definition_in, definitions};
pub use value::{bytes, flag, time};
pub use variable::is_known_variable;
