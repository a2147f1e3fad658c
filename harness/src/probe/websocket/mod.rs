//! WebSocket probes (RFC 6455, and RFC 8441 over HTTP/2).

mod frame_probe;
mod handshake;
mod message_probe;
mod tunnel;

pub use frame_probe::{FrameEvent, FrameProbe};
pub use handshake::Handshake;
pub use message_probe::{SocketEvent, WebSocketProbe};
