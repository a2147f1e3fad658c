//! The side of the upstreams: HTTP/1.1 over pooled connections, on raw sockets.
//!
//! Not hyper's client, as the proxy has to know what of a request was written when a connection dies, to see trailers and
//! interim responses, and to hand a connection over to a tunnel.

mod attempt;
mod chunks;
mod connection;
mod deadline;
mod head;
mod pool;
mod response;
mod upload;

pub(crate) use attempt::{Answered, Attempt, Failure};
pub(crate) use connection::{Certainty, Connection};
pub(crate) use deadline::Deadline;
pub(crate) use head::{Asked, ResponseHead};
pub(crate) use pool::{Idle, Pool, Unreachable};
pub(crate) use response::{BrokenResponse, Circumstances, Cut, ResponseBody, RunningUpload};
pub(crate) use upload::{Opening, Outgoing, RequestFraming, Source, Upload, UploadError, corrupt};
