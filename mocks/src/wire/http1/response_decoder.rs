//! A client's view of HTTP/1 answers: the bytes of a connection in, heads and body pieces out.

use bytes::{Bytes, BytesMut};

use super::chunked::{BadChunk, ChunkEvent, ChunkedDecoder};
use super::request_line::find_byte;
use crate::ledger::{Field, RawHead};

/// What of a request decides how its answer is framed (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `HEAD`: never a body.
    Head,
    /// `CONNECT`: a tunnel after any 2xx.
    Connect,
    /// Any other method.
    Other,
}

impl Asked {
    /// By the method's name, case regarded.
    #[must_use]
    pub fn of(method: &str) -> Self {
        match method {
            "HEAD" => Self::Head,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

/// How the end of an answer's body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFraming {
    /// No body: an answer to `HEAD`, a 204, a 304.
    None,
    /// `Content-Length`, in bytes.
    Length(u64),
    /// `Transfer-Encoding` whose last coding is `chunked`.
    Chunked,
    /// The end of the connection.
    UntilClose,
    /// The connection is another protocol's from here on: a 101, or 2xx to `CONNECT`.
    Tunnel,
}

/// What the answer says about the connection after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerPersistence {
    /// Another request may follow.
    Keep,
    /// The peer will close.
    Close,
}

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHead {
    /// The bytes as received.
    pub raw: RawHead,
    /// The status code.
    pub status: u16,
    /// The minor version of HTTP/1.x.
    pub minor_version: u8,
    /// How the end of the body is known.
    pub framing: AnswerFraming,
    /// What becomes of the connection.
    pub persistence: AnswerPersistence,
}

/// What a decoder found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerEvent {
    /// An interim answer (1xx but 101).
    Interim(AnswerHead),
    /// The final answer's head.
    Head(AnswerHead),
    /// A piece of its body, transfer coding removed.
    Data(Bytes),
    /// The end of a chunk's data: shows how a stream was framed.
    ChunkEnd,
    /// The end of the body, with trailer fields.
    End(Vec<Field>),
    /// Nothing: feed more.
    More,
}

/// An answer that is not HTTP/1, or framed against the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// The head cannot be read.
    #[error("malformed answer head: {reason}")]
    Head {
        /// What is wrong.
        reason: &'static str,
    },
    /// The chunked coding is broken.
    #[error("malformed answer body: {0}")]
    Chunk(#[from] BadChunk),
}

/// What the end of the connection means at some point of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerEnd {
    /// No byte of the answer had come.
    BeforeHead,
    /// Within the head.
    WithinHead,
    /// The body is shorter than its framing says.
    Truncated,
    /// The answer is whole.
    Complete,
}

/// Reads the answer to one request from a buffer that grows.
#[derive(Clone, Debug)]
pub struct AnswerDecoder {
    asked: Asked,
    state: State,
    searched: usize,
}

#[derive(Clone, Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
    Done,
}

impl AnswerDecoder {
    /// A decoder for the answer to such a request.
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            state: State::Head,
            searched: 0,
        }
    }

    /// Takes what it can use from the front of `buffer`; call again until [`AnswerEvent::More`] or [`AnswerEvent::End`].
    ///
    /// What is left in the buffer after the end belongs to the next answer, or to the protocol switched to.
    ///
    /// # Errors
    /// When the bytes are no answer; nothing more is to be read from this connection then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<AnswerEvent, BadAnswer> {
        match &mut self.state {
            State::Head => self.decode_head(buffer),
            State::Done | State::Length(0) => {
                self.state = State::Done;
                Ok(AnswerEvent::End(Vec::new()))
            }
            State::Length(_) | State::UntilClose if buffer.is_empty() => Ok(AnswerEvent::More),
            State::Length(left) => {
                let take = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len());
                *left -= take as u64;
                Ok(AnswerEvent::Data(buffer.split_to(take).freeze()))
            }
            State::UntilClose => Ok(AnswerEvent::Data(buffer.split().freeze())),
            State::Chunked(decoder) => Ok(match decoder.decode(buffer)? {
                ChunkEvent::Data(data) => AnswerEvent::Data(data),
                ChunkEvent::ChunkEnd => AnswerEvent::ChunkEnd,
                ChunkEvent::More => AnswerEvent::More,
                ChunkEvent::End(trailers) => {
                    self.state = State::Done;
                    AnswerEvent::End(trailers)
                }
            }),
        }
    }

    /// What it means that the connection ends here, with this left in the buffer.
    #[must_use]
    pub fn end_of_connection(&self, buffer: &[u8]) -> AnswerEnd {
        match &self.state {
            State::Head if buffer.is_empty() => AnswerEnd::BeforeHead,
            State::Head => AnswerEnd::WithinHead,
            State::Done | State::UntilClose | State::Length(0) => AnswerEnd::Complete,
            State::Length(_) | State::Chunked(_) => AnswerEnd::Truncated,
        }
    }

    fn decode_head(&mut self, buffer: &mut BytesMut) -> Result<AnswerEvent, BadAnswer> {
        let Some(length) = self.head_length(buffer)? else {
            return Ok(AnswerEvent::More);
        };
        self.searched = 0;
        let raw = RawHead::new(Bytes::copy_from_slice(&buffer[..length]));
        bytes::Buf::advance(buffer, length);
        let head = read_head(raw, self.asked)?;
        if (100..200).contains(&head.status) && head.status != 101 {
            return Ok(AnswerEvent::Interim(head));
        }
        self.state = match head.framing {
            AnswerFraming::None | AnswerFraming::Tunnel => State::Done,
            AnswerFraming::Length(length) => State::Length(length),
            AnswerFraming::Chunked => State::Chunked(ChunkedDecoder::new()),
            AnswerFraming::UntilClose => State::UntilClose,
        };
        Ok(AnswerEvent::Head(head))
    }

    fn head_length(&mut self, buffer: &[u8]) -> Result<Option<usize>, BadAnswer> {
        let start = b"HTTP/1."
            .iter()
            .zip(buffer.iter())
            .all(|(want, got)| want == got);
        if !start {
            return Err(bad("does not begin with HTTP/1."));
        }
        while let Some(feed) = find_byte(b'\n', &buffer[self.searched..]) {
            let end = self.searched + feed + 1;
            let rest = &buffer[end..];
            let blank = [&b"\n"[..], b"\r\n"]
                .into_iter()
                .find(|blank| rest.starts_with(blank));
            if let Some(blank) = blank {
                return Ok(Some(end + blank.len()));
            }
            if rest.is_empty() || rest == b"\r" {
                // The next bytes decide: look at this line end again.
                self.searched = end - 1;
                break;
            }
            self.searched = end;
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(bad("longer than 1 MiB"));
        }
        Ok(None)
    }
}

fn read_head(raw: RawHead, asked: Asked) -> Result<AnswerHead, BadAnswer> {
    let line = raw.start_line();
    let (minor_version, status) = match line {
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            minor @ b'0'..=b'9',
            b' ',
            a,
            b,
            c,
            rest @ ..,
        ] if [a, b, c].iter().all(|digit| digit.is_ascii_digit())
            && matches!(rest, [] | [b' ', ..]) =>
        {
            let digit = |byte: &u8| u16::from(byte - b'0');
            (minor - b'0', digit(a) * 100 + digit(b) * 10 + digit(c))
        }
        _ => return Err(bad("status line")),
    };
    let fields = raw.fields();
    if fields
        .iter()
        .any(|field| field.name.is_empty() || field.name.contains(&b' '))
    {
        return Err(bad("field name"));
    }
    let framing = find_framing(&fields, status, asked)?;
    let keeps = match (minor_version, framing) {
        (_, AnswerFraming::UntilClose) => false,
        (0, _) => has_token(&fields, "connection", "keep-alive"),
        _ => !has_token(&fields, "connection", "close"),
    };
    let persistence = if keeps {
        AnswerPersistence::Keep
    } else {
        AnswerPersistence::Close
    };
    Ok(AnswerHead {
        raw,
        status,
        minor_version,
        framing,
        persistence,
    })
}

fn find_framing(fields: &[Field], status: u16, asked: Asked) -> Result<AnswerFraming, BadAnswer> {
    match (status, asked) {
        (101, _) | (200..300, Asked::Connect) => return Ok(AnswerFraming::Tunnel),
        (100..200 | 204 | 304, _) | (_, Asked::Head) => return Ok(AnswerFraming::None),
        _ => {}
    }
    if let Some(coding) = values(fields, "transfer-encoding").last() {
        let last = coding
            .rsplit(|&byte| byte == b',')
            .next()
            .unwrap_or_default();
        return Ok(if last.trim_ascii().eq_ignore_ascii_case(b"chunked") {
            AnswerFraming::Chunked
        } else {
            AnswerFraming::UntilClose
        });
    }
    let mut lengths = values(fields, "content-length");
    let Some(first) = lengths.next() else {
        return Ok(AnswerFraming::UntilClose);
    };
    if lengths.any(|other| other != first) {
        return Err(bad("Content-Length given twice with different values"));
    }
    std::str::from_utf8(first)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .map(AnswerFraming::Length)
        .ok_or(bad("Content-Length"))
}

fn values<'f>(fields: &'f [Field], name: &str) -> impl Iterator<Item = &'f [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
        .map(|field| &field.value[..])
}

fn has_token(fields: &[Field], name: &str, token: &str) -> bool {
    values(fields, name).any(|value| {
        value
            .split(|&byte| byte == b',')
            .any(|word| word.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}

fn bad(reason: &'static str) -> BadAnswer {
    BadAnswer::Head { reason }
}

/// More head than any server of the field sends: a peer must not make a probe buffer without end.
const HEAD_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Events with neighbouring data joined, and what the end of the connection would mean.
    fn decode(
        pieces: &[&[u8]],
        asked: Asked,
    ) -> (Result<Vec<AnswerEvent>, BadAnswer>, AnswerEnd, usize) {
        let mut decoder = AnswerDecoder::new(asked);
        let mut buffer = BytesMut::new();
        let mut events: Vec<AnswerEvent> = Vec::new();
        for piece in pieces {
            buffer.extend_from_slice(piece);
            loop {
                match decoder.decode(&mut buffer) {
                    Err(error) => return (Err(error), AnswerEnd::WithinHead, 0),
                    Ok(AnswerEvent::More) => break,
                    Ok(end @ AnswerEvent::End(_)) => {
                        if !matches!(events.last(), Some(AnswerEvent::End(_))) {
                            events.push(end);
                        }
                        break;
                    }
                    Ok(AnswerEvent::Data(data)) => match events.last_mut() {
                        Some(AnswerEvent::Data(before)) => {
                            *before = [&before[..], &data].concat().into()
                        }
                        _ => events.push(AnswerEvent::Data(data)),
                    },
                    Ok(event) => events.push(event),
                }
            }
        }
        let end = decoder.end_of_connection(&buffer);
        (Ok(events), end, buffer.len())
    }

    fn framing(head: &str, asked: Asked) -> Result<AnswerFraming, BadAnswer> {
        match &decode(&[head.as_bytes()], asked).0?[0] {
            AnswerEvent::Head(head) => Ok(head.framing),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn framing_by_rfc_9112() {
        use AnswerFraming as F;
        let other = Asked::Other;
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", other),
            Ok(F::Length(3))
        );
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Asked::Head),
            Ok(F::None)
        );
        assert_eq!(framing("HTTP/1.1 204\r\n\r\n", other), Ok(F::None));
        assert_eq!(framing("HTTP/1.1 200 OK\r\n\r\n", other), Ok(F::UntilClose));
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\n\r\n", Asked::Connect),
            Ok(F::Tunnel)
        );
        assert_eq!(framing("HTTP/1.1 101 x\r\n\r\n", other), Ok(F::Tunnel));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 1\r\n\r\n";
        assert_eq!(framing(chunked, other), Ok(F::Chunked));
        for bad in [
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "SSH-2.0\r\n\r\n",
        ] {
            assert!(framing(bad, other).is_err(), "{bad}");
        }
    }

    #[test]
    fn ends_are_told_apart() {
        let of = |bytes: &[u8]| decode(&[bytes], Asked::Other).1;
        assert_eq!(of(b""), AnswerEnd::BeforeHead);
        assert_eq!(of(b"HTTP/1.1 200 OK\r\n"), AnswerEnd::WithinHead);
        assert_eq!(
            of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
            AnswerEnd::Truncated
        );
        assert_eq!(
            of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
            AnswerEnd::Complete
        );
        assert_eq!(
            of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
            AnswerEnd::Truncated
        );
        assert_eq!(of(b"HTTP/1.1 200 OK\r\n\r\nab"), AnswerEnd::Complete);
    }

    #[test]
    fn interim_answers_come_before_the_head() {
        let bytes =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP";
        let (events, end, rest) = decode(&[bytes], Asked::Other);
        let events = events.unwrap();
        assert!(matches!(
            &events[..],
            [
                AnswerEvent::Interim(_),
                AnswerEvent::Head(_),
                AnswerEvent::Data(_),
                AnswerEvent::End(_)
            ]
        ));
        assert_eq!((end, rest), (AnswerEnd::Complete, 4));
    }

    proptest! {
        #[test]
        fn segmentation_does_not_matter(
            framing in prop_oneof![
                Just("Content-Length: 5\r\n\r\nhelloHTTP"),
                Just("Transfer-Encoding: chunked\r\nX: y\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\nHTTP"),
                Just("\r\nhello"),
                Just("\nX"),
            ],
            interim in any::<bool>(),
            spoil in proptest::option::of((0_usize..200, any::<u8>())),
            cuts in proptest::collection::vec(0_usize..150, 0..8),
        ) {
            let interim = if interim { "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" } else { "" };
            let mut wire = format!("{interim}HTTP/1.1 200 OK\r\n{framing}").into_bytes();
            if let Some((at, byte)) = spoil {
                let at = at % wire.len();
                wire[at] = byte;
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
            let cut = decode(&pieces, Asked::Other);
            let whole = decode(&[&wire], Asked::Other);
            prop_assert_eq!(cut, whole);
        }
    }
}
