//! HTTP/2 with every frame under control.

mod connection;
mod frame;
mod hpack;
mod huffman;
mod reading;

pub use connection::{Body, PREFACE, RawH2};
pub use frame::H2Frame;
