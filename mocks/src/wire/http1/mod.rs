//! HTTP/1 by the rules of Go's `net/http` server (1.26), and a client's view of answers; without I/O.

mod response;

pub use response::{FieldOrder, Response};
