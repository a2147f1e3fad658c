//! The client: HTTP/1.1 keepalive connections, asked on a schedule, every answer checked.
//!
//! One thread, one epoll, no allocation per request. A connection is idle or has one exchange under way.

mod answer;
mod arrivals;
mod connection;
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
