//! Effective settings: what is in force in a server or location, where it is written, and what it dropped.
//!
//! While a [`Site`](crate::location::Site) is read, each block keeps its directives ([`Setting`]). A question is put
//! for a [`Scope`]; the answer ([`Effective`]) is merged from the blocks around it as the directive's row in
//! [`directive`](crate::directive) says.

mod block;
mod effective;
mod field;

pub(crate) use block::{BlockId, Blocks, settings_of};

pub use block::Setting;
pub use effective::{Effective, Scope};
pub use field::ProxiedField;
