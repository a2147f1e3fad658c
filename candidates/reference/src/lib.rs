//! The embedded candidate: a small, correct reverse proxy.
//!
//! ```text
//! server ── listener ──► worker ──► client ──► plan ──► forward ──► upstream
//! signals   accepts      a thread   hyper's    router   request     pool, attempt,
//! reload                 with its   server,    host     errand      response body
//!                        pools      identity   path     upgrade, tunnel
//! ```
//!
//! A runtime per core, nothing shared between them: a connection stays with the worker it was given to, and so do the
//! upstream connections its requests use. `defect` holds deliberate bugs.

mod client;
mod config;
mod defect;
mod distortion;
mod document;
mod errand;
mod error;
mod expression;
mod fields;
mod forward;
mod host;
mod listen_table;
mod listener;
mod location;
mod path;
mod plan;
mod proxy_protocol;
mod reading;
mod replacement;
mod request;
mod router;
mod server;
mod target;
mod tls;
mod tunnel;
mod upgrade;
mod upstream;
mod worker;

pub use defect::{Defect, UnknownDefect};
pub use error::ReferenceError;
pub use reading::{Reading, read};
pub use server::run;
