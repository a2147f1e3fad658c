//! The mock backends behind the candidate, and the server they share.

pub mod cpa;
mod exchange;
mod request;
mod resp_connection;
mod running;
mod server;
mod service;
mod websocket;

pub use exchange::{BodyError, Exchange};
pub use request::Request;
pub use resp_connection::{RespConnection, RespError};
pub use running::{AtAccept, RunningUpstream};
pub use server::Server;
pub use service::{After, Protocols, Rules, Service};
pub use websocket::{Message, SocketEnd, WebSocket};
