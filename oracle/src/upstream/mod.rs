//! Where requests go: `upstream` groups with their servers, and what a `proxy_pass` addresses.

mod address;
mod destination;
mod group;
mod server;

pub use address::Address;
pub use destination::{Destination, Destinations, Scheme};
pub use group::{Balance, Upstream};
pub use server::{Role, UpstreamServer};
