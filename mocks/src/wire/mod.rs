//! Protocols with every byte under control: no I/O in here, bytes in and events out.

pub mod http1;
pub mod proxy_protocol;
pub mod resp;
pub mod websocket;
