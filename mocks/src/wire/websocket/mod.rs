//! WebSocket frames and handshake (RFC 6455), for both roles, without I/O.

mod decoder;
mod frame;
mod gorilla;
mod handshake;

pub use decoder::{FrameTooLong, take_frame};
pub use frame::{Frame, Opcode};
pub use gorilla::{SocketEvent, SocketReader, Violation, close_reply};
pub use handshake::{accept_key, is_valid_key};
