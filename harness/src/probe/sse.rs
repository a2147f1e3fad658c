//! Decodes `text/event-stream` (WHATWG HTML section 9.2) and stamps every event with the piece it came in.

use proxyproof_mocks::Moment;

/// One event, as an `EventSource` would dispatch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The event's type: `message` where the stream names none.
    pub name: String,
    /// The data lines, joined by line feeds.
    pub data: String,
    /// The last `id` seen up to and with this event; empty when there was none.
    pub last_event_id: String,
    /// When the byte that completed the event was read.
    pub at: Moment,
    /// In which call of [`SseDecoder::feed`], from 0, that byte was.
    pub piece: usize,
}

/// One comment line: what servers send to keep a connection alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseComment {
    /// What follows the colon.
    pub text: String,
    /// When the end of the line was read.
    pub at: Moment,
    /// In which call of [`SseDecoder::feed`], from 0, the end of the line was.
    pub piece: usize,
}

/// Bytes in, events out; no I/O.
#[derive(Clone, Debug, Default)]
pub struct SseDecoder {
    line: Vec<u8>,
    start: Start,
    after_carriage_return: bool,
    name: String,
    data: String,
    last_event_id: String,
    retry_ms: Option<u64>,
    comments: Vec<SseComment>,
    pieces: usize,
}

/// Whether a byte order mark may still come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Start {
    #[default]
    FirstLine,
    Past,
}

impl SseDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, read at `at`, and gives the events they complete.
    pub fn feed(&mut self, at: Moment, bytes: &[u8]) -> Vec<SseEvent> {
        let mut events = Vec::new();
        for &byte in bytes {
            // CRLF is one line end, also where the two bytes come in different pieces.
            let second_half = std::mem::take(&mut self.after_carriage_return) && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => {
                    self.after_carriage_return = byte == b'\r';
                    events.extend(self.end_line(at));
                }
                _ => self.line.push(byte),
            }
        }
        self.pieces += 1;
        events
    }

    /// The comment lines so far.
    #[must_use]
    pub fn comments(&self) -> &[SseComment] {
        &self.comments
    }

    /// The latest reconnection time the stream asked for, in milliseconds.
    #[must_use]
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Whether the stream would lose data if it ended here: an event without the empty line that ends it.
    #[must_use]
    pub fn is_mid_event(&self) -> bool {
        !(self.line.is_empty() && self.data.is_empty() && self.name.is_empty())
    }

    fn end_line(&mut self, at: Moment) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::replace(&mut self.start, Start::Past) == Start::FirstLine {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(at);
        }
        // A line end is no part of a longer UTF-8 sequence, so decoding line by line changes nothing.
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let content = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => self.comments.push(SseComment {
                text: value.to_owned(),
                at,
                piece: self.pieces,
            }),
            "event" => content.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(content);
                self.data.push('\n');
            }
            "id" if !content.contains('\0') => content.clone_into(&mut self.last_event_id),
            "retry" if is_number(content) => self.retry_ms = content.parse().ok(),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self, at: Moment) -> Option<SseEvent> {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        // Every data line left a line feed behind; no line at all means no event.
        data.pop()?;
        Some(SseEvent {
            name: if name.is_empty() {
                "message".to_owned()
            } else {
                name
            },
            data,
            last_event_id: self.last_event_id.clone(),
            at,
            piece: self.pieces,
        })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Vec<(String, String, String)> {
        let triple = |event: SseEvent| (event.name, event.data, event.last_event_id);
        let whole = SseDecoder::new().feed(Moment::now(), bytes);
        let whole: Vec<_> = whole.into_iter().map(triple).collect();
        let mut decoder = SseDecoder::new();
        let single: Vec<_> = bytes
            .iter()
            .flat_map(|&byte| decoder.feed(Moment::now(), &[byte]))
            .map(triple)
            .collect();
        assert_eq!(whole, single, "pieces must not matter");
        whole
    }

    fn data(bytes: &[u8]) -> Vec<String> {
        decode(bytes).into_iter().map(|event| event.1).collect()
    }

    #[test]
    fn the_examples_of_the_specification() {
        assert_eq!(
            data(b"data: YHOO\ndata: +2\ndata: 10\n\n"),
            ["YHOO\n+2\n10"]
        );
        // Two events, the second without data is none; the third is not ended.
        assert_eq!(data(b"data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
        assert_eq!(data(b"data:test\n\ndata: test\n\n"), ["test", "test"]);
        assert_eq!(
            decode(b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
            [
                ("message".into(), "first event".into(), "1".into()),
                ("message".into(), "second event".into(), String::new()),
                ("message".into(), " third event".into(), String::new()),
            ]
        );
    }

    #[test]
    fn every_line_end() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = "event: a\ndata: 1\n\ndata: 2\n\n".replace('\n', end);
            assert_eq!(
                decode(stream.as_bytes()),
                [
                    ("a".into(), "1".into(), String::new()),
                    ("message".into(), "2".into(), String::new())
                ]
            );
        }
        assert_eq!(data(b"data: 1\r\n\ndata: 2\n\r"), ["1", "2"]);
    }

    #[test]
    fn a_byte_order_mark_only_at_the_start() {
        assert_eq!(data(b"\xef\xbb\xbfdata: 1\n\n"), ["1"]);
        assert_eq!(data(b"\n\xef\xbb\xbfdata: 1\n\n"), Vec::<String>::new());
        assert_eq!(
            data(b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn invalid_utf_8_is_replaced() {
        assert_eq!(data(b"data: a\xffb\xe2\x82\n\n"), ["a\u{fffd}b\u{fffd}"]);
        assert_eq!(data("data: €\n\n".as_bytes()), ["€"]);
    }

    #[test]
    fn id_persists_and_refuses_nul() {
        let events = decode(b"id: 7\ndata: a\n\nid: 8\0\ndata: b\n\n");
        assert_eq!(events[1].2, "7");
    }

    #[test]
    fn retry_and_comments_are_remembered() {
        let mut decoder = SseDecoder::new();
        let at = Moment::now();
        assert!(decoder.feed(at, b"retry: 1x\nretry: 250\n").is_empty());
        assert!(decoder.feed(at, b": keep-alive\n").is_empty());
        assert_eq!(decoder.retry_ms(), Some(250));
        let comment = &decoder.comments()[0];
        assert_eq!((comment.text.as_str(), comment.piece), (" keep-alive", 1));
        assert!(!decoder.is_mid_event());
        decoder.feed(at, b"data: x\n");
        assert!(decoder.is_mid_event());
    }

    #[test]
    fn events_know_their_piece() {
        let mut decoder = SseDecoder::new();
        let at = Moment::now();
        assert_eq!(decoder.feed(at, b"data: 1\n").len(), 0);
        let events = decoder.feed(at, b"\ndata: 2\n\n");
        assert_eq!(events.iter().map(|e| e.piece).collect::<Vec<_>>(), [1, 1]);
    }
}
