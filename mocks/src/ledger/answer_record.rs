//! What was written as an answer, as far as whoever follows a ledger wants to tell of it.

use memchr::memmem;

use crate::moment::Moment;

/// What is told of an answer; empty for a request with a probe id in a ledger that nobody follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerRecord {
    /// The status of the final answer, or `101`.
    pub status: Option<u16>,
    /// How many server-sent events were written; `None` if the answer is no event stream.
    pub events: Option<u64>,
    /// When the first event had been written.
    pub first_event: Option<Moment>,
    /// Frames of a WebSocket that a service read, those of the closing handshake apart.
    pub frames_in: u64,
    /// Frames of a WebSocket that a service wrote, those of the closing handshake apart.
    pub frames_out: u64,
}

impl AnswerRecord {
    /// Notes what one write held. Answers begin with a write, and no write ends within the first word of a line.
    pub(super) fn wrote(&mut self, bytes: &[u8], at: Moment) {
        if self.status.is_none_or(|status| status == CONTINUE)
            && let Some(status) = status_of(bytes)
        {
            self.status = Some(status);
            let head = memmem::find(bytes, b"\r\n\r\n").unwrap_or(bytes.len());
            let streams = memmem::find(&bytes[..head], EVENT_STREAM).is_some();
            self.events = streams.then_some(0);
        }
        if let Some(events) = &mut self.events {
            *events += u64::from(bytes.starts_with(DATA));
            *events += memmem::find_iter(bytes, DATA_LINE).count() as u64;
            if *events > 0 {
                self.first_event.get_or_insert(at);
            }
        }
    }
}

fn status_of(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What each event has one of, whether it begins a write or, with the size of its chunk, does not.
const DATA: &[u8] = b"data:";
const DATA_LINE: &[u8] = b"\ndata:";
/// The interim answer that a final one follows.
const CONTINUE: u16 = 100;
const EVENT_STREAM: &[u8] = b"Content-Type: text/event-stream";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_status_and_the_events_count() {
        let mut answer = AnswerRecord::default();
        answer.wrote(b"HTTP/1.1 100 Continue\r\n\r\n", Moment::now());
        answer.wrote(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
            Moment::now(),
        );
        answer.wrote(b"9\r\ndata: a\n\n\r\n", Moment::now());
        answer.wrote(b"data: b\n\n", Moment::now());
        assert_eq!((answer.status, answer.events), (Some(200), Some(2)));
        assert!(answer.first_event.is_some());
    }

    #[test]
    fn what_is_no_stream_has_no_events() {
        let mut answer = AnswerRecord::default();
        answer.wrote(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n\ndata:",
            Moment::now(),
        );
        assert_eq!((answer.status, answer.events), (Some(404), None));
    }
}
