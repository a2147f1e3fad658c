//! One answer as it comes in, held against what it has to be: [`Reading`] in HTTP/1.1, its [`Body`] in HTTP/2 too.

use std::mem::MaybeUninit;

use bytes::{Buf as _, BytesMut};
use proxyproof_mocks::wire::http1::{ChunkEvent, ChunkedDecoder};

use super::target::Expected;

/// How far the answer to the request under way has come.
#[derive(Debug, Default)]
pub(super) struct Reading {
    framing: Framing,
    pub(super) body: Body,
    /// The peer will close after this answer.
    pub(super) closes: bool,
}

/// What has come of an answer's body.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Nothing until now is other than expected, the status included.
    pub(super) right: bool,
    /// In bytes.
    length: usize,
    /// When each of its events was read, in nanoseconds of [`Moment`](proxyproof_mocks::moment::Moment); those that one read gave
    /// have the same.
    pub(super) events: Vec<u64>,
    /// The last byte was a line end.
    line_ended: bool,
}

#[derive(Debug, Default)]
enum Framing {
    #[default]
    Head,
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
}

/// What an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Right,
    Wrong,
    /// Not HTTP/1.1.
    Broken,
}

impl Reading {
    /// Takes what has come, and was read at this moment; `None` while the answer is not whole.
    pub(super) fn advance(
        &mut self,
        buffer: &mut BytesMut,
        expected: &Expected,
        read_at: u64,
    ) -> Option<Ended> {
        if let Expected::Exactly(bytes) = expected {
            let come = buffer.get(..bytes.len())?;
            let right = come == bytes.as_slice();
            buffer.advance(bytes.len());
            return Some(if right { Ended::Right } else { Ended::Wrong });
        }
        loop {
            match &mut self.framing {
                Framing::Head => match self.head(buffer, expected) {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(()) => return Some(Ended::Broken),
                },
                Framing::Length(left) => {
                    let taken = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(buffer.len());
                    *left -= taken as u64;
                    let over = *left == 0;
                    self.body.take(&buffer[..taken], expected, read_at);
                    buffer.advance(taken);
                    return over.then(|| self.body.verdict(expected));
                }
                Framing::Chunked(decoder) => match decoder.decode(buffer) {
                    Ok(ChunkEvent::Data(data)) => self.body.take(&data, expected, read_at),
                    Ok(ChunkEvent::ChunkEnd) => {}
                    Ok(ChunkEvent::End(_)) => return Some(self.body.verdict(expected)),
                    Ok(ChunkEvent::More) => return None,
                    Err(_) => return Some(Ended::Broken),
                },
                Framing::UntilClose => {
                    let data = buffer.split();
                    self.body.take(&data, expected, read_at);
                    return None;
                }
            }
        }
    }

    /// Whether the head is not whole.
    pub(super) fn is_before_the_body(&self) -> bool {
        matches!(self.framing, Framing::Head)
    }

    /// The connection has ended: what the answer is then.
    pub(super) fn end_of_connection(&self, expected: &Expected) -> Ended {
        match self.framing {
            Framing::UntilClose => self.body.verdict(expected),
            _ => Ended::Broken,
        }
    }

    fn head(&mut self, buffer: &mut BytesMut, expected: &Expected) -> Result<bool, ()> {
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            buffer,
            &mut fields,
        );
        let httparse::Status::Complete(length) = parsed.map_err(drop)? else {
            return Ok(false);
        };
        let status = response.code.unwrap_or_default();
        let mut framing = Framing::UntilClose;
        for field in response.headers.iter() {
            let value = field.value.trim_ascii();
            if field.name.eq_ignore_ascii_case("content-length") {
                let length = std::str::from_utf8(value)
                    .ok()
                    .and_then(|value| value.parse().ok());
                framing = Framing::Length(length.ok_or(())?);
            } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
                framing = Framing::Chunked(ChunkedDecoder::new());
            } else if field.name.eq_ignore_ascii_case("connection") {
                self.closes = value.eq_ignore_ascii_case(b"close");
            }
        }
        self.body.right = status
            == match expected {
                Expected::Whole { status, .. } => *status,
                Expected::Events(_) => 200,
                Expected::Exactly(_) => SWITCHING_PROTOCOLS,
            };
        buffer.advance(length);
        // Interim answers have no body (RFC 9110 section 15.2); nobody asked for an upgrade.
        if status >= 200 {
            self.framing = framing;
        }
        Ok(true)
    }
}

impl Body {
    pub(super) fn take(&mut self, data: &[u8], expected: &Expected, read_at: u64) {
        match expected {
            Expected::Whole { body, .. } => {
                let here = body.get(self.length..self.length + data.len());
                self.right &= here == Some(data);
            }
            Expected::Exactly(_) => {}
            Expected::Events(_) => {
                // An event ends with an empty line, which pieces may divide.
                let within = memchr::memmem::find_iter(data, b"\n\n").count();
                let across = self.line_ended && data.starts_with(b"\n");
                let events = self.events.len() + within + usize::from(across);
                self.events.resize(events, read_at);
                self.line_ended = data.ends_with(b"\n") && !data.ends_with(b"\n\n");
            }
        }
        self.length += data.len();
    }

    pub(super) fn verdict(&self, expected: &Expected) -> Ended {
        let whole = match expected {
            Expected::Whole { body, .. } => self.length == body.len(),
            Expected::Events(events) => self.events.len() == *events as usize,
            Expected::Exactly(_) => true,
        };
        if self.right && whole {
            Ended::Right
        } else {
            Ended::Wrong
        }
    }
}

/// RFC 9110 section 15.2.2.
const SWITCHING_PROTOCOLS: u16 = 101;
/// More fields than any answer of the stage has.
const FIELDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], expected: &Expected) -> Option<Ended> {
        // Byte by byte: nothing depends on how it is divided.
        let mut reading = Reading::default();
        let mut buffer = BytesMut::new();
        for byte in text {
            buffer.extend_from_slice(&[*byte]);
            let ended = reading.advance(&mut buffer, expected, 0);
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    #[test]
    fn an_answer_is_held_against_the_expected_one() {
        let expected = Expected::Whole {
            status: 200,
            body: b"ok".to_vec(),
        };
        let right = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(read(right, &expected), Some(Ended::Right));
        let other = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
        assert_eq!(read(other, &expected), Some(Ended::Wrong));
        let longer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok!";
        assert_eq!(read(longer, &expected), Some(Ended::Wrong));
        let refused = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(read(refused, &expected), Some(Ended::Wrong));
        assert_eq!(read(b"SSH-2.0\r\n", &expected), Some(Ended::Broken));
    }

    #[test]
    fn events_are_counted_over_chunks() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let text = format!("{head}9\r\ndata: a\n\n\r\n8\r\ndata: b\n\r\n1\r\n\n\r\n0\r\n\r\n");
        assert_eq!(
            read(text.as_bytes(), &Expected::Events(2)),
            Some(Ended::Right)
        );
        assert_eq!(
            read(text.as_bytes(), &Expected::Events(3)),
            Some(Ended::Wrong)
        );
    }
}
