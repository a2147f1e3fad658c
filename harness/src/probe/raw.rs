//! A connection whose every byte is the scenario's: [`RawConnection`].

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::wire::http1::Asked;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::answer::{Answer, Growing};
use super::client::Way;
use super::departure::Departure;
use super::error::ProbeError;
use super::exchange::silent;
use super::h1::AnswerReader;
use super::hand::Incoming;
use super::segment::taken;
use super::stream::{Lever, Stream};
use crate::patience::Patience;

/// Bytes out, bytes in; PROXY header and TLS are done unless the client was bare.
///
/// It reads only when told to. Dropping it closes the connection; with bytes unread, systems send RST then.
#[derive(Debug)]
pub struct RawConnection {
    stream: Stream,
    lever: Lever,
    client: SocketAddr,
    connected_at: Moment,
    sent_at: Option<Moment>,
    unused: BytesMut,
    received: Received,
}

/// Everything that came on a raw connection so far.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When how many of them were read.
    pub reads: Vec<(Moment, u64)>,
    /// How the peer went away, if it has.
    pub departure: Option<Departure>,
}

impl Received {
    /// What came, as lossy text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The status code, if an HTTP/1 status line came first.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let line = self.bytes.strip_prefix(b"HTTP/1.")?;
        let digits = std::str::from_utf8(line.get(2..5)?).ok()?;
        digits.parse().ok()
    }
}

impl RawConnection {
    pub(crate) fn over(way: Way) -> Self {
        Self {
            stream: way.stream,
            lever: way.lever,
            client: way.client,
            connected_at: way.connected_at,
            sent_at: None,
            unused: BytesMut::new(),
            received: Received::default(),
        }
    }

    /// The client's address as the PROXY header claims it.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        self.client
    }

    /// When the connection was there, PROXY header and TLS included.
    #[must_use]
    pub fn connected_at(&self) -> Moment {
        self.connected_at
    }

    /// When the first byte was written.
    #[must_use]
    pub fn sent_at(&self) -> Option<Moment> {
        self.sent_at
    }

    /// What ALPN chose.
    #[must_use]
    pub fn alpn(&self) -> Option<String> {
        let name = self.stream.alpn()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// Everything read so far.
    #[must_use]
    pub fn received(&self) -> &Received {
        &self.received
    }

    /// Writes bytes, in one segment as far as TCP allows.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the peer is gone, [`ProbeError::Silent`] when it does not read.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), ProbeError> {
        self.sent_at.get_or_insert_with(Moment::now);
        let stream = &mut self.stream;
        let writing = async {
            stream.write_all(bytes.as_ref()).await?;
            stream.flush().await
        };
        let written = Patience::STREAM
            .within("the peer to take bytes", writing)
            .await;
        written
            .map_err(|ran_out| silent(ran_out, "a write that does not end"))?
            .map_err(|cause| ProbeError::Write {
                what: "bytes",
                cause: Arc::new(cause),
            })
    }

    /// Writes each part in a segment of its own: the next one once the peer has read the one before.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn write_split(&mut self, parts: &[&[u8]]) -> Result<(), ProbeError> {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                taken(&self.lever).await;
            }
            self.write(part).await?;
        }
        Ok(())
    }

    /// Reads once; nothing is left to read once the peer is gone, and the departure is told again and again.
    ///
    /// # Errors
    /// [`ProbeError::Silent`] when nothing comes.
    pub async fn read(&mut self, patience: Patience) -> Result<Step, ProbeError> {
        if let Some(how) = self.received.departure {
            return Ok(Step::Departed(how));
        }
        let mut block = [0; 16 * 1024];
        let read = patience.within("bytes from the peer", self.stream.read(&mut block));
        let read = read.await;
        let read = read.map_err(|ran_out| silent(ran_out, &self.last_seen()))?;
        let how = match read {
            Ok(0) => Departure::Fin,
            Ok(length) => {
                let bytes = Bytes::copy_from_slice(&block[..length]);
                self.received.bytes.extend_from_slice(&bytes);
                self.received.reads.push((Moment::now(), length as u64));
                self.unused.extend_from_slice(&bytes);
                return Ok(Step::Bytes(bytes));
            }
            Err(error) => Departure::of(&error).unwrap_or(Departure::Reset),
        };
        self.received.departure = Some(how);
        Ok(Step::Departed(how))
    }

    /// Reads until `enough` says so of everything that came so far, or the peer is gone.
    ///
    /// # Errors
    /// [`ProbeError::Silent`] when nothing comes before that.
    pub async fn read_until(
        &mut self,
        patience: Patience,
        mut enough: impl FnMut(&[u8]) -> bool,
    ) -> Result<&Received, ProbeError> {
        while !enough(&self.received.bytes) {
            if let Step::Departed(_) = self.read(patience).await? {
                break;
            }
        }
        Ok(&self.received)
    }

    /// Reads until the peer closes.
    ///
    /// # Errors
    /// [`ProbeError::Silent`] when it stays open.
    pub async fn read_to_end(&mut self, patience: Patience) -> Result<&Received, ProbeError> {
        self.read_until(patience, |_| false).await
    }

    /// Reads until nothing comes for the length of the patience, or the peer is gone: what it does not do by then, it
    /// does not do.
    pub async fn read_until_quiet(&mut self, quiet: Patience) -> &Received {
        while let Ok(Step::Bytes(_)) = self.read(quiet).await {}
        &self.received
    }

    /// Reads one HTTP/1 answer to a request of this method; what comes behind it is left for the next.
    ///
    /// # Errors
    /// As [`super::Exchange::whole`].
    pub async fn answer(&mut self, method: &str) -> Result<Answer, ProbeError> {
        let mut reader = AnswerReader::new(Asked::of(method));
        let mut growing: Option<Growing> = None;
        let mut informational = Vec::new();
        loop {
            let at = self.received.reads.last().map_or_else(Moment::now, |r| r.0);
            let mut events = reader.decode(&mut self.unused, at);
            let ended = matches!(events.last(), Some(Incoming::End(_) | Incoming::Failed(_)));
            if !ended && let Step::Departed(how) = self.read(Patience::ANSWER).await? {
                events.push(reader.depart(how, &self.unused));
            }
            for event in events {
                match (event, &mut growing) {
                    (Incoming::Informational(head), _) => informational.push(head),
                    (Incoming::Head(head), _) => {
                        let sent_at = self.sent_at.unwrap_or(self.connected_at);
                        let informational = std::mem::take(&mut informational);
                        growing = Some(Growing::new(head, informational, sent_at));
                    }
                    (Incoming::Piece(piece), Some(growing)) => growing.piece(&piece),
                    (Incoming::End(end), Some(growing)) => {
                        growing.end(end);
                        return Ok(growing.snapshot());
                    }
                    (Incoming::Failed(error), _) => return Err(error),
                    (Incoming::Piece(_) | Incoming::End(_), None) => {}
                }
            }
        }
    }

    /// Closes the sending side (FIN, under TLS behind a `close_notify`) and goes on reading.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the connection is gone.
    pub async fn half_close(&mut self) -> Result<(), ProbeError> {
        let shut = self.stream.shutdown().await;
        shut.map_err(|cause| ProbeError::Write {
            what: "the end of the connection",
            cause: Arc::new(cause),
        })
    }

    /// Closes the connection with a RST.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the system refuses.
    pub fn reset(self) -> Result<(), ProbeError> {
        let armed = self.lever.arm_reset();
        armed.map_err(|cause| ProbeError::Write {
            what: "a reset",
            cause: Arc::new(cause),
        })
    }

    /// Gives the stream up to somebody who reads and writes by other means, with what was read and not used.
    pub(crate) fn into_stream(self) -> (Stream, Lever, BytesMut) {
        (self.stream, self.lever, self.unused)
    }

    /// Bytes read and not yet taken as an answer.
    pub(crate) fn unused(&mut self) -> &mut BytesMut {
        &mut self.unused
    }

    fn last_seen(&self) -> String {
        match self.received.bytes.len() {
            0 => "nothing".to_owned(),
            length => format!("{length} bytes"),
        }
    }
}

/// What one read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Bytes.
    Bytes(Bytes),
    /// The peer is gone.
    Departed(Departure),
}
