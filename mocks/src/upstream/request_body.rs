//! A request's body as it is read from the connection.

use bytes::Bytes;

use super::socket::{Filled, Socket};
use crate::ledger::{Field, Framing, How, LiveArrival};
use crate::wire::http1::{ChunkEvent, ChunkedDecoder};

/// Why a request's body cannot be read to its end; displayed in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection ended before the body did.
    #[error("unexpected EOF")]
    UnexpectedEnd,
    /// The chunked coding is broken; `reason` in the words of Go's `net/http/internal`.
    #[error("{reason}")]
    BadChunk {
        /// For example `invalid byte in chunk length`.
        reason: &'static str,
    },
    /// The body is larger than the caller's limit.
    #[error("http: request body too large")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// All bodies together are larger than a mock puts up with.
    #[error("http: request body too large")]
    Crowded,
    /// The connection broke.
    #[error("read: connection reset by peer")]
    Reset,
}

/// How far a body is read.
#[derive(Debug)]
pub(crate) enum RequestBody {
    Length(u64),
    Chunked(ChunkedDecoder),
    Complete,
    Broken(BodyError),
}

impl RequestBody {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Self::Complete,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkedDecoder::new()),
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    /// How many bytes are left, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Complete => Some(0),
            Self::Chunked(_) | Self::Broken(_) => None,
        }
    }

    /// Reads the next piece, of at most `most` bytes; `None` at the end. Cancel-safe.
    pub(crate) async fn piece(
        &mut self,
        socket: &Socket,
        arrival: &LiveArrival,
        most: usize,
    ) -> Result<Option<Bytes>, BodyError> {
        loop {
            if let Self::Broken(error) = self {
                return Err(error.clone());
            }
            match socket.with_buffer(|buffer| self.take(buffer, most)) {
                Ok(Taken::Data(data)) => {
                    arrival.read_body(&data);
                    if self.is_complete() {
                        Self::ended(socket, arrival, Vec::new());
                    }
                    return Ok(Some(data));
                }
                Ok(Taken::End(trailers)) => {
                    if !self.is_complete() {
                        *self = Self::Complete;
                        Self::ended(socket, arrival, trailers);
                    }
                    return Ok(None);
                }
                Ok(Taken::Nothing) => {
                    if let Filled::Ended(how) = socket.fill().await {
                        *self = Self::Broken(match how {
                            How::Fin => BodyError::UnexpectedEnd,
                            How::Reset => BodyError::Reset,
                        });
                    }
                }
                Err(reason) => *self = Self::Broken(BodyError::BadChunk { reason }),
            }
        }
    }

    fn ended(socket: &Socket, arrival: &LiveArrival, trailers: Vec<Field>) {
        arrival.body_complete(trailers);
        socket.start_watching();
    }

    fn take(&mut self, buffer: &mut bytes::BytesMut, most: usize) -> Result<Taken, &'static str> {
        match self {
            Self::Complete | Self::Broken(_) => Ok(Taken::End(Vec::new())),
            Self::Length(_) if buffer.is_empty() => Ok(Taken::Nothing),
            Self::Length(left) => {
                let take = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len())
                    .min(most);
                *left -= take as u64;
                if *left == 0 {
                    *self = Self::Complete;
                }
                Ok(Taken::Data(buffer.split_to(take).freeze()))
            }
            Self::Chunked(decoder) => loop {
                match decoder
                    .decode_at_most(buffer, most)
                    .map_err(|bad| bad.reason)?
                {
                    ChunkEvent::Data(data) => return Ok(Taken::Data(data)),
                    ChunkEvent::ChunkEnd => {}
                    ChunkEvent::End(trailers) => return Ok(Taken::End(trailers)),
                    ChunkEvent::More => return Ok(Taken::Nothing),
                }
            },
        }
    }
}

enum Taken {
    Data(Bytes),
    End(Vec<Field>),
    Nothing,
}
