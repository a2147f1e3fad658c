//! The side of the clients: connections, their state, what is answered on them.

mod activity;
mod body;
mod connection;
mod refusal;
mod stream;

pub(crate) use activity::{Activity, Exchange, Stall};
pub(crate) use body::Body;
pub(crate) use connection::{Client, serve};
pub(crate) use refusal::Refusal;
pub(crate) use stream::ClientStream;
