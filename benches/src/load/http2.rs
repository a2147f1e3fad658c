//! The HTTP/2 of a load client: many streams on one connection, and no more of RFC 9113 than that takes.
//!
//! The same request goes out on every stream, so its frames are made once. Of an answer's header block only the status is
//! read, and only where it is 200 from the static table, as servers write it: anything else counts as wrong.

use bytes::{Buf as _, BytesMut};

use super::answer::{Body, Ended};
use super::connection::{Exchange, Progress};
use super::target::Expected;

/// The streams of one connection.
#[derive(Debug, Default)]
pub(super) struct Http2 {
    next: u32,
    open: Vec<Open>,
    /// Frames that the socket has not taken yet.
    out: Vec<u8>,
    /// Of the connection's window, what has been used since it was last given back.
    used: u32,
    /// The peer takes no more streams (GOAWAY).
    closing: bool,
    /// What it has not processed and never will: to be asked again (RFC 9113 section 8.7).
    refused: Vec<Exchange>,
}

/// A stream that is not answered yet.
#[derive(Debug)]
struct Open {
    stream: u32,
    exchange: Exchange,
    body: Body,
}

impl Http2 {
    /// With the connection preface to be written (RFC 9113 section 3.4): windows that answers of a stage do not use up.
    pub(super) fn new() -> Self {
        let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let mut settings = Vec::new();
        for (setting, value) in [(ENABLE_PUSH, 0), (INITIAL_WINDOW_SIZE, LARGEST_WINDOW)] {
            settings.extend_from_slice(&setting.to_be_bytes());
            settings.extend_from_slice(&value.to_be_bytes());
        }
        frame(&mut out, SETTINGS, 0, 0, &settings);
        let more = LARGEST_WINDOW - FIRST_WINDOW;
        frame(&mut out, WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
        Self {
            next: 1,
            out,
            ..Self::default()
        }
    }

    /// Opens a stream with these frames, which are the whole request; the stream is filled in.
    pub(super) fn begin(&mut self, frames: &[u8], exchange: Exchange) {
        let mut at = self.out.len();
        self.out.extend_from_slice(frames);
        while let Some(head) = self.out.get_mut(at..at + FRAME_HEAD) {
            head[5..].copy_from_slice(&self.next.to_be_bytes());
            at += FRAME_HEAD + payload_length(head);
        }
        self.open.push(Open {
            stream: self.next,
            exchange,
            body: Body::default(),
        });
        self.next += 2;
    }

    /// What has to be written.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether another stream may be opened.
    pub(super) fn takes_more(&self) -> bool {
        !self.closing && self.next < LAST_STREAM
    }

    pub(super) fn under_way(&self) -> usize {
        self.open.len()
    }

    /// How many streams have had an event.
    pub(super) fn begun(&self) -> usize {
        let begun = |open: &&Open| !open.body.events.is_empty();
        self.open.iter().filter(begun).count()
    }

    /// Takes frames until a stream has ended; `None` while what has come ends none.
    pub(super) fn advance(
        &mut self,
        buffer: &mut BytesMut,
        expected: &Expected,
        read_at: u64,
    ) -> Option<Progress> {
        loop {
            if let Some(exchange) = self.refused.pop() {
                return Some(Progress::Refused {
                    exchange,
                    closes: self.is_over(),
                });
            }
            let head = buffer.get(..FRAME_HEAD)?;
            let length = payload_length(head);
            let (kind, flags) = (head[3], head[4]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & LARGEST_WINDOW;
            if buffer.len() < FRAME_HEAD + length {
                return None;
            }
            buffer.advance(FRAME_HEAD);
            let payload = buffer.split_to(length);
            match self.frame((kind, flags, stream), &payload, expected, read_at) {
                Ok(None) => {}
                Ok(Some(progress)) => return Some(progress),
                Err(Broken) => {
                    return Some(Progress::Gone {
                        broken: self.open.drain(..).count() as u64,
                    });
                }
            }
        }
    }

    fn frame(
        &mut self,
        (kind, flags, stream): (u8, u8, u32),
        payload: &[u8],
        expected: &Expected,
        read_at: u64,
    ) -> Result<Option<Progress>, Broken> {
        match kind {
            DATA => {
                let data = without_padding(flags, payload)?;
                self.give_back(payload.len());
                if let Some(open) = self.open.iter_mut().find(|open| open.stream == stream) {
                    open.body.take(data, expected, read_at);
                }
            }
            HEADERS => {
                let mut block = without_padding(flags, payload)?;
                if flags & PRIORITY != 0 {
                    block = block.get(PRIORITY_LENGTH..).ok_or(Broken)?;
                }
                // A second block of a stream is its trailers.
                if let Some(open) = self.open.iter_mut().find(|open| open.stream == stream) {
                    open.body.right |= says_200(block);
                }
            }
            RST_STREAM if payload == REFUSED_STREAM => {
                let refused = self.close(stream);
                self.refused.extend(refused.map(|open| open.exchange));
            }
            RST_STREAM => {
                return Ok(self.close(stream).map(|open| Progress::Answered {
                    ended: Ended::Broken,
                    exchange: open.exchange,
                    events: open.body.events,
                    closes: false,
                }));
            }
            SETTINGS if flags & ACK == 0 => frame(&mut self.out, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => frame(&mut self.out, PING, ACK, 0, payload),
            GO_AWAY => {
                self.closing = true;
                let last = payload.first_chunk().ok_or(Broken)?;
                let last = u32::from_be_bytes(*last) & LARGEST_WINDOW;
                let refused = self.open.extract_if(.., |open| open.stream > last);
                self.refused.extend(refused.map(|open| open.exchange));
            }
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            return Ok(self.close(stream).map(|open| Progress::Answered {
                ended: open.body.verdict(expected),
                exchange: open.exchange,
                events: open.body.events,
                closes: self.is_over(),
            }));
        }
        Ok(None)
    }

    /// Whether nothing more will come.
    fn is_over(&self) -> bool {
        self.closing && self.open.is_empty() && self.refused.is_empty()
    }

    fn close(&mut self, stream: u32) -> Option<Open> {
        let at = self.open.iter().position(|open| open.stream == stream)?;
        Some(self.open.swap_remove(at))
    }

    /// Before the connection's window is used up it is made whole again; a stream's window is never used up.
    fn give_back(&mut self, length: usize) {
        self.used += u32::try_from(length).unwrap_or(0);
        if self.used > LARGEST_WINDOW / 2 {
            let used = std::mem::take(&mut self.used);
            frame(&mut self.out, WINDOW_UPDATE, 0, 0, &used.to_be_bytes());
        }
    }
}

/// A request as frames, its method and path and these fields as a header block (RFC 7541) of which nothing enters the dynamic
/// table.
pub(super) fn request(
    method: u8,
    host: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut block = vec![method, SCHEME_HTTPS];
    for (name, value) in [(AUTHORITY, host), (PATH, target)] {
        block.push(name);
        string(&mut block, value);
    }
    for (name, value) in fields {
        block.push(NEW_NAME);
        string(&mut block, &name.to_ascii_lowercase());
        string(&mut block, value);
    }
    let mut frames = Vec::new();
    let ends = if body.is_empty() { END_STREAM } else { 0 };
    frame(&mut frames, HEADERS, END_HEADERS | ends, 0, &block);
    if !body.is_empty() {
        frame(&mut frames, DATA, END_STREAM, 0, body);
    }
    frames
}

/// Lengths below 127 are one byte (RFC 7541 section 5.1); nothing that a profile asks with is longer.
fn string(block: &mut Vec<u8>, text: &str) {
    let length = text.len().min(126);
    block.push(u8::try_from(length).unwrap_or(126));
    block.extend_from_slice(&text.as_bytes()[..length]);
}

/// Whether a header block begins with status 200 of the static table, behind changes of the table's size.
fn says_200(block: &[u8]) -> bool {
    let mut bytes = block.iter();
    let mut first = bytes.next();
    while first.is_some_and(|byte| byte & 0b1110_0000 == 0b0010_0000) {
        let long = first.is_some_and(|byte| byte & 0b0001_1111 == 0b0001_1111);
        if long {
            bytes.by_ref().find(|byte| **byte & 0x80 == 0);
        }
        first = bytes.next();
    }
    first == Some(&STATUS_200)
}

fn without_padding(flags: u8, payload: &[u8]) -> Result<&[u8], Broken> {
    if flags & PADDED == 0 {
        return Ok(payload);
    }
    let (padding, rest) = payload.split_first().ok_or(Broken)?;
    let length = rest.len().checked_sub(usize::from(*padding));
    Ok(&rest[..length.ok_or(Broken)?])
}

/// Of a frame's head.
fn payload_length(head: &[u8]) -> usize {
    usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// The bytes are no HTTP/2.
struct Broken;

// RFC 9113 sections 4.1 and 6.
const FRAME_HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
/// An error code (section 7).
const REFUSED_STREAM: [u8; 4] = 7_u32.to_be_bytes();
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
/// A dependency and a weight.
const PRIORITY_LENGTH: usize = 5;
const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;
const FIRST_WINDOW: u32 = 65_535;
const LARGEST_WINDOW: u32 = 0x7fff_ffff;
/// Streams are numbered with 31 bits.
const LAST_STREAM: u32 = 0x7fff_fff0;

// RFC 7541 appendix A; a literal without indexing names its field by number (section 6.2.2).
pub(super) const METHOD_GET: u8 = 0x82;
pub(super) const METHOD_POST: u8 = 0x83;
const SCHEME_HTTPS: u8 = 0x87;
const STATUS_200: u8 = 0x88;
const AUTHORITY: u8 = 0x01;
const PATH: u8 = 0x04;
const NEW_NAME: u8 = 0x00;

#[cfg(test)]
mod tests {
    use super::*;

    const EXCHANGE: Exchange = Exchange {
        intended: 1,
        sent: 2,
        lag: 0,
        probe: None,
    };

    fn answers(frames: &[u8], body: &[u8], streams: usize) -> Vec<(Ended, bool)> {
        let expected = Expected::Whole {
            status: 200,
            body: body.to_vec(),
        };
        let mut http2 = Http2::new();
        for _ in 0..streams {
            http2.begin(b"", EXCHANGE);
        }
        let (mut buffer, mut ended) = (BytesMut::new(), Vec::new());
        // Byte by byte: nothing depends on how it is divided.
        for byte in frames {
            buffer.extend_from_slice(&[*byte]);
            match http2.advance(&mut buffer, &expected, 0) {
                Some(Progress::Answered {
                    ended: how, closes, ..
                }) => ended.push((how, closes)),
                Some(Progress::Refused { exchange, closes }) => {
                    assert_eq!(exchange.intended, 1);
                    ended.push((Ended::Wrong, closes));
                }
                Some(Progress::Gone { broken }) => ended.push((Ended::Broken, broken > 0)),
                _ => {}
            }
        }
        ended
    }

    fn frames(list: &[(u8, u8, u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (kind, flags, stream, payload) in list {
            frame(&mut out, *kind, *flags, *stream, payload);
        }
        out
    }

    #[test]
    fn streams_end_in_any_order() {
        let came = frames(&[
            (SETTINGS, 0, 0, &[]),
            (HEADERS, END_HEADERS, 1, &[STATUS_200]),
            (HEADERS, END_HEADERS, 3, &[0x20, STATUS_200]),
            (DATA, 0, 1, b"o"),
            (DATA, END_STREAM | PADDED, 3, b"\x02okpp"),
            (DATA, END_STREAM, 1, b"k"),
        ]);
        let right = (Ended::Right, false);
        assert_eq!(answers(&came, b"ok", 2), [right, right]);
    }

    #[test]
    fn other_answers_are_wrong() {
        for (block, body) in [(0x8d, "ok"), (STATUS_200, "no"), (STATUS_200, "okk")] {
            let came = frames(&[
                (HEADERS, END_HEADERS, 1, &[block]),
                (DATA, END_STREAM, 1, body.as_bytes()),
            ]);
            assert_eq!(answers(&came, b"ok", 1), [(Ended::Wrong, false)]);
        }
        let reset = frames(&[(RST_STREAM, 0, 1, &[0; 4])]);
        assert_eq!(answers(&reset, b"ok", 1), [(Ended::Broken, false)]);
        let padding = frames(&[(DATA, PADDED, 1, &[9, 0])]);
        assert_eq!(answers(&padding, b"ok", 1), [(Ended::Broken, true)]);
    }

    #[test]
    fn after_a_goaway_the_last_answer_closes() {
        let came = frames(&[
            (HEADERS, END_HEADERS, 1, &[STATUS_200]),
            (GO_AWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 0]),
            (DATA, END_STREAM, 1, b"ok"),
            (HEADERS, END_HEADERS | END_STREAM, 3, &[STATUS_200]),
        ]);
        assert_eq!(
            answers(&came, b"ok", 2),
            [(Ended::Right, false), (Ended::Wrong, true)]
        );
    }

    #[test]
    fn what_was_refused_is_asked_again() {
        let came = frames(&[
            (RST_STREAM, 0, 1, &REFUSED_STREAM),
            (GO_AWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 0]),
            (HEADERS, END_HEADERS, 3, &[STATUS_200]),
            (DATA, END_STREAM, 3, b"ok"),
        ]);
        // The first by its reset, the third by the GOAWAY; the second is answered.
        let again = (Ended::Wrong, false);
        assert_eq!(
            answers(&came, b"ok", 3),
            [again, again, (Ended::Right, true)]
        );
    }

    #[test]
    fn a_request_is_frames_and_a_stream_is_filled_in() {
        let mut http2 = Http2::new();
        http2.out().clear();
        http2.begin(&request(METHOD_GET, "a.test", "/x", &[], b""), EXCHANGE);
        let block = b"\x82\x87\x01\x06a.test\x04\x02/x";
        let get = frames(&[(HEADERS, END_HEADERS | END_STREAM, 1, block)]);
        assert_eq!(*http2.out(), get);
        http2.out().clear();
        let post = request(METHOD_POST, "a.test", "/x", &[("N", "v")], b"{}");
        http2.begin(&post, EXCHANGE);
        let block = b"\x83\x87\x01\x06a.test\x04\x02/x\x00\x01n\x01v";
        let post = frames(&[
            (HEADERS, END_HEADERS, 3, block),
            (DATA, END_STREAM, 3, b"{}"),
        ]);
        assert_eq!(*http2.out(), post);
    }

    #[test]
    fn the_events_of_each_stream_are_counted() {
        let mut http2 = Http2::new();
        let expected = Expected::Events(2);
        http2.begin(b"", EXCHANGE);
        http2.begin(b"", EXCHANGE);
        let mut came = BytesMut::from(
            &frames(&[
                (HEADERS, END_HEADERS, 1, &[STATUS_200]),
                (HEADERS, END_HEADERS, 3, &[STATUS_200]),
                (DATA, 0, 1, b"data: a\n"),
                (DATA, 0, 3, b"data: a\n\n"),
                (DATA, 0, 1, b"\n"),
            ])[..],
        );
        assert!(http2.advance(&mut came, &expected, 0).is_none());
        assert_eq!(http2.begun(), 2);
        came.extend_from_slice(&frames(&[
            (DATA, END_STREAM, 3, b"data: b\n\n"),
            (DATA, END_STREAM, 1, b""),
        ]));
        for (right, many) in [(Ended::Right, 2), (Ended::Wrong, 1)] {
            match http2.advance(&mut came, &expected, 0) {
                Some(Progress::Answered { ended, events, .. }) => {
                    assert_eq!((ended, events.len()), (right, many));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
