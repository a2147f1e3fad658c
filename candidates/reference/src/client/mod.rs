//! The side of the clients: connections, their state, what is answered on them.

mod accepted;
mod activity;
mod body;
mod connection;
mod refusal;
mod stream;
mod transport;

pub(crate) use accepted::Accepted;
pub(crate) use activity::{Activity, Exchange, Stall};
pub(crate) use body::Body;
pub(crate) use connection::Client;
pub(crate) use refusal::Refusal;
pub(crate) use stream::ClientStream;
pub(crate) use transport::Transport;
