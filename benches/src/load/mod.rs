//! The client: connections that are kept, asked on a schedule, every answer checked.
//!
//! One thread, one epoll, no allocation per request. A connection has one exchange under way, or in HTTP/2 as many as it has streams.

mod answer;
mod arrivals;
mod connection;
mod http2;
mod samples;
mod session;
mod stream;
mod target;

pub use self::arrivals::Arrivals;
pub(crate) use self::samples::LONGEST;
pub use self::samples::{Errors, Samples, carried};
pub use self::session::{LoadError, SeenEvents, Session};
pub use self::stream::Tls;
pub use self::target::{Expected, Target};
