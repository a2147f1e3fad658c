//! HTTP/2 with every frame under control: [`RawH2`].

use bytes::{BufMut, Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::ledger::Field;

use super::frame::H2Frame;
use super::hpack::{self, Decoder};
use super::reading::Reading;
use crate::patience::Patience;
use crate::probe::answer::{Answer, ResetBy};
use crate::probe::departure::Departure;
use crate::probe::error::ProbeError;
use crate::probe::raw::{RawConnection, Step};
use crate::probe::request::{Payload, Request};
use crate::probe::sent::{Sent, SentBody, Upload};
use crate::protocol::Protocol;

/// A connection on which any frames can be sent, also those a client must not send.
///
/// It acknowledges SETTINGS and PING and gives windows back while it reads. It does not mind the peer's windows:
/// keep bodies under 64 KiB.
#[derive(Debug)]
pub struct RawH2 {
    raw: RawConnection,
    protocol: Protocol,
    decoder: Decoder,
    next_stream: u32,
    frames: Vec<(Moment, H2Frame)>,
}

/// The first bytes of a client (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl RawH2 {
    /// Sends the preface and empty SETTINGS on a connection.
    pub(crate) async fn over(
        mut raw: RawConnection,
        protocol: Protocol,
    ) -> Result<Self, ProbeError> {
        let settings = H2Frame::new(H2Frame::SETTINGS, 0, 0, Bytes::new());
        raw.write([PREFACE, &settings.encode()].concat()).await?;
        Ok(Self {
            raw,
            protocol,
            decoder: Decoder::new(),
            next_stream: 1,
            frames: Vec::new(),
        })
    }

    /// The connection under it, for bytes that are no frames.
    pub fn raw(&mut self) -> &mut RawConnection {
        &mut self.raw
    }

    /// Every frame read so far.
    #[must_use]
    pub fn frames(&self) -> &[(Moment, H2Frame)] {
        &self.frames
    }

    /// A stream number not used before by [`RawH2::send`].
    pub fn fresh_stream(&mut self) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        stream
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn frame(&mut self, frame: &H2Frame) -> Result<(), ProbeError> {
        self.raw.write(frame.encode()).await
    }

    /// Sends HEADERS with exactly these fields, in CONTINUATION frames behind it where one frame is too small.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn headers(
        &mut self,
        stream: u32,
        fields: &[Field],
        body: Body,
    ) -> Result<(), ProbeError> {
        self.raw.write(header_frames(stream, fields, body)).await
    }

    /// Sends DATA.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn data(
        &mut self,
        stream: u32,
        bytes: impl Into<Bytes>,
        body: Body,
    ) -> Result<(), ProbeError> {
        self.frame(&H2Frame::new(H2Frame::DATA, body.flag(), stream, bytes))
            .await
    }

    /// Sends RST_STREAM.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn reset(&mut self, stream: u32, code: u32) -> Result<(), ProbeError> {
        let code = code.to_be_bytes().to_vec();
        self.frame(&H2Frame::new(H2Frame::RST_STREAM, 0, stream, code))
            .await
    }

    /// Sends GOAWAY for no stream of the peer.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn go_away(&mut self, code: u32) -> Result<(), ProbeError> {
        let payload = [0_u32.to_be_bytes(), code.to_be_bytes()].concat();
        self.frame(&H2Frame::new(H2Frame::GOAWAY, 0, 0, payload))
            .await
    }

    /// Sends a request's fields and whole body on a fresh stream, whatever they are; gives the stream's number.
    ///
    /// # Errors
    /// As [`RawConnection::write`].
    pub async fn send(&mut self, request: &Request) -> Result<(u32, Sent), ProbeError> {
        let stream = self.fresh_stream();
        let parts = match request.payload() {
            Payload::Length(body) => vec![body.clone()],
            Payload::Chunked(chunks) => chunks.clone(),
            Payload::None | Payload::StreamedLength(_) | Payload::Streamed => Vec::new(),
        };
        let body = |last: bool| if last { Body::None } else { Body::Follows };
        let trailers = request.h2_trailers();
        let streamed = matches!(
            request.payload(),
            Payload::StreamedLength(_) | Payload::Streamed
        );
        let at = Moment::now();
        let mut out = BytesMut::new();
        let bodiless = parts.is_empty() && !streamed && trailers.is_empty();
        out.put(header_frames(stream, &request.h2_fields(), body(bodiless)));
        for (index, part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len() && trailers.is_empty();
            let frame = H2Frame::new(H2Frame::DATA, body(last).flag(), stream, part.clone());
            out.put(frame.encode());
        }
        if !trailers.is_empty() {
            out.put(header_frames(stream, &trailers, Body::None));
        }
        self.raw.write(out).await?;
        let length: usize = parts.iter().map(Bytes::len).sum();
        let sent = Sent {
            protocol: self.protocol,
            probe: request.probe_id(),
            client: self.raw.client(),
            connected_at: self.raw.connected_at(),
            head: request.h2_head(),
            at,
            body: SentBody {
                length: length as u64,
                first_at: (length > 0).then_some(at),
                last_at: (length > 0).then(Moment::now),
                upload: match (bodiless, streamed) {
                    (true, _) => Upload::None,
                    (_, true) => Upload::Open,
                    _ => Upload::Complete,
                },
            },
        };
        Ok((stream, sent))
    }

    /// Reads the next frame, answering SETTINGS and PING and giving windows back; `None` once the peer is gone.
    ///
    /// # Errors
    /// [`ProbeError::Silent`] when none comes.
    pub async fn next(&mut self, patience: Patience) -> Result<Option<H2Frame>, ProbeError> {
        loop {
            if let Some(frame) = H2Frame::take(self.raw.unused()) {
                self.frames.push((Moment::now(), frame.clone()));
                self.oblige(&frame).await;
                return Ok(Some(frame));
            }
            if let Step::Departed(_) = self.raw.read(patience).await? {
                return Ok(None);
            }
        }
    }

    /// Reads the answer to the request on a stream.
    ///
    /// # Errors
    /// [`ProbeError::Reset`] or [`ProbeError::Closed`] before a head, [`ProbeError::Malformed`], and
    /// [`ProbeError::Silent`].
    pub async fn answer(&mut self, stream: u32) -> Result<Answer, ProbeError> {
        let sent_at = self.raw.sent_at().unwrap_or_else(Moment::now);
        let mut reading = Reading::new(sent_at);
        loop {
            let Some(frame) = self.next(Patience::ANSWER).await? else {
                return reading.gone(self.raw.received().departure.unwrap_or(Departure::Fin));
            };
            if frame.kind == H2Frame::GOAWAY && frame.number(4) != Some(0) {
                return reading.reset(ResetBy::Connection {
                    code: frame.number(4),
                });
            }
            if frame.stream != stream {
                continue;
            }
            if frame.kind == H2Frame::RST_STREAM {
                return reading.reset(ResetBy::Stream {
                    code: frame.number(0).unwrap_or_default(),
                });
            }
            if let Some(answer) = reading.take(&frame, &mut self.decoder)? {
                return Ok(answer);
            }
        }
    }

    /// What the protocol obliges a reader to send; a peer that is gone is noticed by the next read.
    async fn oblige(&mut self, frame: &H2Frame) {
        let ack = frame.has(H2Frame::ACK);
        let replies = match frame.kind {
            H2Frame::SETTINGS if !ack => {
                vec![H2Frame::new(
                    H2Frame::SETTINGS,
                    H2Frame::ACK,
                    0,
                    Bytes::new(),
                )]
            }
            H2Frame::PING if !ack => vec![H2Frame::new(
                H2Frame::PING,
                H2Frame::ACK,
                0,
                frame.payload.clone(),
            )],
            H2Frame::DATA if !frame.payload.is_empty() => {
                let length = u32::try_from(frame.payload.len()).expect("a frame is under 2^24");
                let length = length.to_be_bytes().to_vec();
                vec![
                    H2Frame::new(H2Frame::WINDOW_UPDATE, 0, 0, length.clone()),
                    H2Frame::new(H2Frame::WINDOW_UPDATE, 0, frame.stream, length),
                ]
            }
            _ => return,
        };
        for reply in replies {
            if self.frame(&reply).await.is_err() {
                return;
            }
        }
    }
}

/// Whether a frame ends its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// END_STREAM: nothing follows.
    None,
    /// More follows.
    Follows,
}

impl Body {
    fn flag(self) -> u8 {
        match self {
            Self::None => H2Frame::END_STREAM,
            Self::Follows => 0,
        }
    }
}

fn header_frames(stream: u32, fields: &[Field], body: Body) -> Bytes {
    let mut block = hpack::encode(fields);
    let mut out = BytesMut::new();
    let mut kind = H2Frame::HEADERS;
    let mut flags = body.flag();
    loop {
        let part = block.split_to(block.len().min(FRAME_SIZE));
        if block.is_empty() {
            flags |= H2Frame::END_HEADERS;
        }
        out.put(H2Frame::new(kind, flags, stream, part).encode());
        if block.is_empty() {
            return out.freeze();
        }
        (kind, flags) = (H2Frame::CONTINUATION, 0);
    }
}

/// The largest payload a peer must take without having said so (RFC 9113 section 4.2).
const FRAME_SIZE: usize = 16_384;
