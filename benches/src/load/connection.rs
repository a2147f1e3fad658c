//! One keepalive connection.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;

use super::answer::{Ended, Reading};
use super::stream::Stream;
use super::target::{Expected, Target};

/// A connection with at most one exchange under way.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    buffer: BytesMut,
    reading: Reading,
    /// How much of the request is written.
    written: usize,
    pub(super) exchange: Option<Exchange>,
}

/// A request that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) intended: u64,
    pub(super) sent: u64,
    /// How late it was sent though a connection was free.
    pub(super) lag: u64,
}

/// What became of a connection when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing new, or a piece.
    Under,
    Answered {
        ended: Ended,
        closes: bool,
    },
    /// The peer has closed.
    Gone {
        idle: bool,
        ended: Ended,
    },
}

impl Connection {
    pub(super) fn open(target: &Target) -> io::Result<Self> {
        let mut stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        // A handshake that never ends must not hold the whole run.
        stream.set_read_timeout(Some(HANDSHAKE))?;
        if let Some(version) = target.proxy_protocol {
            let client: SocketAddr = CLIENT.into();
            stream.write_all(&version.encode(client, target.address))?;
        }
        let mut stream = Stream::over(stream, target.tls.as_ref())?;
        if let Some(request) = &target.upgrade {
            stream.upgrade(request)?;
        }
        stream.stop_waiting()?;
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
            reading: Reading::default(),
            written: 0,
            exchange: None,
        })
    }

    pub(super) fn begin(&mut self, request: &[u8], exchange: Exchange) -> io::Result<()> {
        self.reading = Reading::default();
        self.written = 0;
        self.exchange = Some(exchange);
        self.write(request)
    }

    /// Writes what the socket takes.
    pub(super) fn write(&mut self, request: &[u8]) -> io::Result<()> {
        while self.exchange.is_some() && self.written < request.len() {
            match self.stream.write(&request[self.written..]) {
                Ok(taken) => self.written += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.stream.wants_write() {
            match self.stream.flush() {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads until nothing more is there, and says what that was; adds to `bytes`.
    ///
    /// `piece` is what is read at once: one for all connections stays in the processor's cache.
    pub(super) fn read(
        &mut self,
        expected: &Expected,
        piece: &mut [u8],
        bytes: &mut u64,
    ) -> Progress {
        loop {
            let read = self.stream.read(piece);
            self.buffer
                .extend_from_slice(&piece[..read.as_ref().copied().unwrap_or(0)]);
            match read {
                Ok(0) => return self.gone(expected),
                Ok(length) => {
                    *bytes += length as u64;
                    if self.exchange.is_none() {
                        // An answer to nothing.
                        return Progress::Gone {
                            idle: false,
                            ended: Ended::Broken,
                        };
                    }
                    if let Some(ended) = self.reading.advance(&mut self.buffer, expected) {
                        return Progress::Answered {
                            ended,
                            closes: self.reading.closes,
                        };
                    }
                    if length < piece.len() && self.stream.is_drained_by_a_short_read() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.gone(expected),
            }
        }
        Progress::Under
    }

    /// Events of the answer until now.
    pub(super) fn events(&self) -> u32 {
        self.reading.events
    }

    fn gone(&self, expected: &Expected) -> Progress {
        Progress::Gone {
            idle: self.exchange.is_none(),
            ended: self.reading.end_of_connection(expected),
        }
    }
}

/// Far longer than a handshake on one machine takes.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Whom a PROXY header names: an address for documentation (RFC 5737).
const CLIENT: ([u8; 4], u16) = ([203, 0, 113, 7], 40_000);
