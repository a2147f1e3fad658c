//! WebSocket frames and handshake (RFC 6455), for both roles, without I/O.

mod frame;

pub use frame::{Frame, Opcode, Role};
