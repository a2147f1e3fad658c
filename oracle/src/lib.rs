//! What should happen: NGINX configurations and route tables as values, without I/O.
//!
//! [`conf`] reads NGINX's configuration language without losing a byte; [`location`] makes route tables of it, or of a
//! deployment, and says which location wins for a request target and why.

pub mod conf;
pub mod decision;
pub mod location;
mod printable;
pub mod routes;
#[cfg(feature = "strategy")]
pub mod strategy;

pub use printable::Printable;
