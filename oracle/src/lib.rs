//! What should happen: NGINX configurations and route tables as values, without I/O.
//!
//! [`conf`] reads NGINX's configuration language without losing a byte; [`location`] makes route tables of it, or of a
//! deployment, and says which location wins for a request target and why.

pub mod conf;
pub mod decision;
pub mod directive;
pub mod edit;
pub mod location;
mod printable;
pub mod routes;
pub mod setting;
#[cfg(feature = "strategy")]
pub mod strategy;

pub mod unread;
pub mod upstream;

pub use printable::Printable;
