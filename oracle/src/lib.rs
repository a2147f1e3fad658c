//! What should happen: NGINX configurations and route tables as values, without I/O.
//!
//! [`conf`] reads NGINX's configuration language without losing a byte; [`location`] makes a site of it, or route tables of
//! a deployment, and says which location wins for a request target and why, and which request leads to an upstream.
//! [`setting`] says what is in force in a location and where it is set, by the table of [`directive`]; [`upstream`] where
//! requests go; [`unread`] what none of this knows. [`edit`] changes the files in these terms.

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
