//! Clients that send through a stage: HTTP/1.1 and HTTP/2 by one interface, raw bytes and frames, events, WebSockets.

mod answer;
mod client;
mod connection;
mod departure;
mod error;
mod event_stream;
mod exchange;
mod h1;
mod h2;
mod h2_message;
mod hand;
mod outlet;
mod proxy_header;
mod raw;
mod raw_h2;
mod request;
mod seen;
mod segment;
mod sent;
mod socket_diag;
mod sse;
mod stream;
mod task;
mod timeline;
mod tls;
mod upload;
mod websocket;
mod written;

#[cfg(test)]
mod tests;

pub use answer::{
    Answer, BODY_KEPT, Delimited, Ending, ErrorCode, Informational, PIECES_KEPT, Piece,
    PieceRecord, ResetBy,
};
pub use client::{
    CLIENT_ADDRESS, Client, ClientAddress, Entrance, OTHER_ADDRESS, UNNAMED_ADDRESS, V6_ADDRESS,
};
pub use connection::{Closing, Connection};
pub use departure::Departure;
pub use error::ProbeError;
pub use event_stream::EventStream;
pub use exchange::Exchange;
pub use hand::PIECES_AHEAD;
pub use proxy_header::ProxyHeader;
pub use raw::{RawConnection, Received, Step};
pub use raw_h2::{Body, H2Frame, PREFACE, RawH2};
pub use request::{Payload, Request};
pub use seen::Seen;
pub use sent::{Sent, SentBody, Upload};
pub use sse::{SseComment, SseDecoder, SseEvent};
pub(crate) use stream::Stream;
pub use timeline::TimelineEntry;
pub use tls::Trust;
pub use websocket::{FrameEvent, FrameProbe, Handshake, SocketEvent, WebSocketProbe};
