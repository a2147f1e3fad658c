//! An answer made of frames: [`Reading`].

use bytes::{BufMut, Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::ledger::{Field, RawHead};

use super::frame::H2Frame;
use super::hpack::Decoder;
use crate::probe::answer::{
    Answer, Delimited, End, Ending, Growing, Head, Informational, Piece, ResetBy,
};
use crate::probe::departure::Departure;
use crate::probe::error::ProbeError;

/// An answer in the making.
pub(super) struct Reading {
    informational: Vec<Informational>,
    growing: Option<Growing>,
    block: BytesMut,
    block_ends: bool,
    chunk: u64,
    sent_at: Moment,
}

impl Reading {
    pub(super) fn new(sent_at: Moment) -> Self {
        Self {
            informational: Vec::new(),
            growing: None,
            block: BytesMut::new(),
            block_ends: false,
            chunk: 0,
            sent_at,
        }
    }

    pub(super) fn take(
        &mut self,
        frame: &H2Frame,
        decoder: &mut Decoder,
    ) -> Result<Option<Answer>, ProbeError> {
        let now = Moment::now();
        let content = frame
            .content()
            .ok_or_else(|| bad("padding longer than the frame"))?;
        match frame.kind {
            H2Frame::DATA => {
                let growing = self
                    .growing
                    .as_mut()
                    .ok_or_else(|| bad("DATA before HEADERS"))?;
                if !content.is_empty() {
                    let chunk = self.chunk;
                    self.chunk += 1;
                    growing.piece(&Piece {
                        at: now,
                        bytes: content,
                        chunk,
                    });
                }
                if frame.has(H2Frame::END_STREAM) {
                    return Ok(self.end(Ending::Complete, Vec::new()));
                }
            }
            H2Frame::HEADERS | H2Frame::CONTINUATION => {
                if frame.kind == H2Frame::HEADERS {
                    self.block_ends = frame.has(H2Frame::END_STREAM);
                }
                self.block.extend_from_slice(&content);
                if frame.has(H2Frame::END_HEADERS) {
                    let block = self.block.split();
                    let fields = decoder.decode(&block).ok_or_else(|| bad("header block"))?;
                    return self.fields(fields, now);
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn fields(&mut self, fields: Vec<Field>, at: Moment) -> Result<Option<Answer>, ProbeError> {
        if self.growing.is_some() {
            return Ok(self.end(Ending::Complete, fields));
        }
        let status = fields.iter().find(|field| field.name == ":status");
        let status = status.and_then(|field| std::str::from_utf8(&field.value).ok()?.parse().ok());
        let status: u16 = status.ok_or_else(|| bad("no :status"))?;
        let head = raw_head(status, &fields);
        if (100..200).contains(&status) {
            self.informational.push(Informational { status, head, at });
            return Ok(None);
        }
        let delimited = if self.block_ends {
            Delimited::NoBody
        } else {
            Delimited::EndStream
        };
        let head = Head {
            status,
            raw: head,
            delimited,
            at,
        };
        let informational = std::mem::take(&mut self.informational);
        self.growing = Some(Growing::new(head, informational, self.sent_at));
        if self.block_ends {
            return Ok(self.end(Ending::Complete, Vec::new()));
        }
        Ok(None)
    }

    fn end(&mut self, ended: Ending, trailers: Vec<Field>) -> Option<Answer> {
        let mut growing = self.growing.take()?;
        growing.end(End::now(ended, trailers));
        Some(growing.snapshot())
    }

    pub(super) fn reset(&mut self, by: ResetBy) -> Result<Answer, ProbeError> {
        self.end(Ending::Reset(by), Vec::new())
            .ok_or(ProbeError::Reset { by })
    }

    pub(super) fn gone(&mut self, how: Departure) -> Result<Answer, ProbeError> {
        let by = match how {
            Departure::Reset => ResetBy::Tcp,
            Departure::Fin | Departure::Cut => ResetBy::Connection { code: None },
        };
        let received = Bytes::new();
        self.end(Ending::Reset(by), Vec::new())
            .ok_or(ProbeError::Closed { how, received })
    }
}

fn raw_head(status: u16, fields: &[Field]) -> RawHead {
    let mut head = BytesMut::from(format!("HTTP/2 {status}\r\n").as_bytes());
    for field in fields.iter().filter(|field| !field.name.starts_with(b":")) {
        for part in [&field.name[..], b": ", &field.value, b"\r\n"] {
            head.put_slice(part);
        }
    }
    head.put_slice(b"\r\n");
    RawHead::new(head.freeze())
}

fn bad(reason: &str) -> ProbeError {
    ProbeError::Malformed {
        reason: format!("HTTP/2: {reason}"),
        received: Bytes::new(),
    }
}
