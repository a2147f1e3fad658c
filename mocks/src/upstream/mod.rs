//! The mock backends behind the candidate, and the server they share.

mod accept;
mod connection;
pub mod cpa;
mod exchange;
mod go_json;
mod memory_budget;
mod request;
mod request_body;
mod resp_connection;
mod running;
mod scripted;
mod scripts;
mod server;
mod service;
mod socket;
mod stubbed;
mod stubs;
pub mod usage;
mod websocket;

pub use exchange::Exchange;
pub use request::Request;
pub use request_body::BodyError;
pub use resp_connection::{RespConnection, RespError};
pub use running::{AtAccept, RunningUpstream};
pub use scripted::Scripted;
pub use server::Server;
pub use service::{After, Protocols, Rules, Service};
pub use stubbed::Stubbed;
pub use websocket::{Message, SocketEnd, WebSocket};

pub(crate) use socket::Filled;
