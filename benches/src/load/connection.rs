//! One connection that is asked again and again.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use proxyproof_mocks::ProbeId;
use proxyproof_mocks::moment::Moment;

use super::answer::{Ended, Reading};
use super::http2::Http2;
use super::stream::Stream;
use super::target::{Expected, Target};

/// A connection with the exchanges that are under way on it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: Stream,
    buffer: BytesMut,
    spoken: Spoken,
    /// The last read has taken all that was there.
    drained: bool,
    /// When that was, in nanoseconds of [`Moment`]; where events are expected.
    read_at: u64,
}

/// What is spoken on a connection.
#[derive(Debug)]
enum Spoken {
    /// One exchange at a time: HTTP/1.1, and what it was upgraded to.
    One(Box<One>),
    /// As many as there are streams.
    Two(Box<Http2>),
}

#[derive(Debug, Default)]
struct One {
    reading: Reading,
    /// How much of the request is written.
    written: usize,
    exchange: Option<Exchange>,
}

/// A request that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) intended: u64,
    pub(super) sent: u64,
    /// How late it was sent though a connection was free.
    pub(super) lag: u64,
    /// Which stream of events it asks for.
    pub(super) probe: Option<ProbeId>,
}

/// What became of a connection when it was looked at.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing new, or a piece.
    Under,
    /// One exchange has ended; when its events were read.
    Answered {
        ended: Ended,
        exchange: Exchange,
        events: Vec<u64>,
        closes: bool,
    },
    /// One was not processed: it has to be asked again.
    Refused { exchange: Exchange, closes: bool },
    /// The peer has closed under so many exchanges.
    Gone { broken: u64 },
    /// It has answered what nobody asked.
    Stray,
}

/// What is read at once: one for all connections stays in the processor's cache.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Box<[u8]>,
    /// The last right answer that one read gave, from its first byte to its last: the same again needs no parser.
    right: Vec<u8>,
}

impl Default for Piece {
    fn default() -> Self {
        Self {
            bytes: vec![0; PIECE].into_boxed_slice(),
            right: Vec::with_capacity(PIECE),
        }
    }
}

impl Connection {
    pub(super) fn open(target: &Target) -> io::Result<Self> {
        let mut stream = TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        // BBR, the default of some machines, paces what is sent: that would be a delay of ours. Every Linux has this one.
        let _ = rustix::net::sockopt::set_tcp_congestion(&stream, "reno");
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
            spoken: match target.streams {
                None => Spoken::One(Box::default()),
                Some(_) => Spoken::Two(Box::new(Http2::new())),
            },
            drained: false,
            read_at: 0,
        })
    }

    /// Whether another exchange may begin.
    pub(super) fn takes_more(&self) -> bool {
        match &self.spoken {
            Spoken::One(one) => one.exchange.is_none(),
            Spoken::Two(http2) => http2.takes_more(),
        }
    }

    /// How many exchanges are under way.
    pub(super) fn under_way(&self) -> usize {
        match &self.spoken {
            Spoken::One(one) => usize::from(one.exchange.is_some()),
            Spoken::Two(http2) => http2.under_way(),
        }
    }

    pub(super) fn begin(&mut self, request: &[u8], exchange: Exchange) -> io::Result<()> {
        match &mut self.spoken {
            Spoken::One(one) => {
                **one = One {
                    exchange: Some(exchange),
                    ..One::default()
                }
            }
            Spoken::Two(http2) => http2.begin(request, exchange),
        }
        self.write(request)
    }

    /// Writes what the socket takes.
    pub(super) fn write(&mut self, request: &[u8]) -> io::Result<()> {
        match &mut self.spoken {
            Spoken::One(one) if one.exchange.is_some() => {
                one.written += taken(&mut self.stream, &request[one.written..])?;
            }
            Spoken::One(_) => {}
            Spoken::Two(http2) => {
                let out = http2.out();
                let written = taken(&mut self.stream, out)?;
                out.drain(..written);
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

    /// Something may be there to be read.
    pub(super) fn stir(&mut self) {
        self.drained = false;
    }

    /// Reads until an exchange ends or nothing more is there; adds to `bytes`. After an end there may be another.
    pub(super) fn read(
        &mut self,
        expected: &Expected,
        piece: &mut Piece,
        bytes: &mut u64,
    ) -> Progress {
        // How much of the piece is an answer from its first byte on.
        let mut begun = None;
        loop {
            if let Some(progress) = self.advance(expected) {
                if let Some(length) = begun
                    && self.buffer.is_empty()
                    && progress.is_right()
                {
                    piece.right.clear();
                    piece.right.extend_from_slice(&piece.bytes[..length]);
                }
                return progress;
            }
            if self.drained {
                return Progress::Under;
            }
            match self.stream.read(&mut piece.bytes) {
                Ok(0) => return self.gone(expected),
                Ok(length) => {
                    *bytes += length as u64;
                    let come = &piece.bytes[..length];
                    self.drained =
                        length < piece.bytes.len() && self.stream.is_drained_by_a_short_read();
                    begun = None;
                    if let Spoken::One(one) = &mut self.spoken
                        && let Some(exchange) = one.exchange
                        && one.reading.is_before_the_body()
                        && self.buffer.is_empty()
                    {
                        if come == piece.right {
                            return one.end(exchange, Ended::Right);
                        }
                        begun = Some(length);
                    }
                    if matches!(expected, Expected::Events(_)) {
                        self.read_at = Moment::now().nanos();
                    }
                    self.buffer.extend_from_slice(come);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.drained = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.gone(expected),
            }
        }
    }

    /// What has come, if it ends something.
    fn advance(&mut self, expected: &Expected) -> Option<Progress> {
        let buffer = &mut self.buffer;
        match &mut self.spoken {
            Spoken::Two(http2) => http2.advance(buffer, expected, self.read_at),
            Spoken::One(_) if buffer.is_empty() => None,
            Spoken::One(one) => {
                let Some(exchange) = one.exchange else {
                    return Some(Progress::Stray);
                };
                let ended = one.reading.advance(buffer, expected, self.read_at)?;
                Some(one.end(exchange, ended))
            }
        }
    }

    /// How many exchanges are under way whose answers have had an event.
    pub(super) fn begun(&self) -> usize {
        match &self.spoken {
            Spoken::One(one) => usize::from(!one.reading.body.events.is_empty()),
            Spoken::Two(http2) => http2.begun(),
        }
    }

    fn gone(&mut self, expected: &Expected) -> Progress {
        match &mut self.spoken {
            Spoken::One(one) => match one.exchange {
                Some(exchange) => {
                    one.reading.closes = true;
                    one.end(exchange, one.reading.end_of_connection(expected))
                }
                // As a server may (RFC 9112 section 9.5): the next request opens another.
                None => Progress::Gone { broken: 0 },
            },
            Spoken::Two(http2) => Progress::Gone {
                broken: http2.under_way() as u64,
            },
        }
    }
}

impl One {
    fn end(&mut self, exchange: Exchange, ended: Ended) -> Progress {
        self.exchange = None;
        Progress::Answered {
            ended,
            exchange,
            events: std::mem::take(&mut self.reading.body.events),
            closes: self.reading.closes || ended == Ended::Broken,
        }
    }
}

impl Progress {
    /// An exchange that leaves its connection as it found it, answered as it should be, whenever that came.
    fn is_right(&self) -> bool {
        matches!(self, Self::Answered { ended: Ended::Right, events, closes: false, .. } if events.is_empty())
    }
}

/// How many of these bytes the socket has taken.
fn taken(stream: &mut Stream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(taken) => written += taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

/// Bytes read at once.
const PIECE: usize = 16 << 10;
/// Far longer than a handshake on one machine takes.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Whom a PROXY header names: an address for documentation (RFC 5737).
const CLIENT: ([u8; 4], u16) = ([203, 0, 113, 7], 40_000);
