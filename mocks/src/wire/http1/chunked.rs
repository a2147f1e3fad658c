//! The chunked transfer coding, read as Go's `net/http/internal` reads it (1.26), and written.

use bytes::{Buf, Bytes, BytesMut};

use super::field_lines::parse_field_block;
use super::request_line::find_byte;
use super::target::hex_digit;
use crate::ledger::Field;

/// What a decoder found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkEvent {
    /// Data; one chunk may come in several pieces.
    Data(Bytes),
    /// The end of a chunk's data.
    ChunkEnd,
    /// The end of the body, with its trailer fields.
    End(Vec<Field>),
    /// Nothing: feed more.
    More,
}

/// A broken coding, in the words of Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{reason}")]
pub struct BadChunk {
    /// What is wrong, for example `invalid byte in chunk length`.
    pub reason: &'static str,
}

/// Reads a chunked body from a buffer that grows; the same events for any segmentation, but for where data is split.
#[derive(Clone, Debug, Default)]
pub struct ChunkedDecoder {
    state: State,
    /// Bytes that were not data, less what a sane sender needs for them: Go's guard against tiny chunks.
    excess: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    SizeLine,
    Data(u64),
    DataEnd,
    Trailers,
    Done,
}

impl ChunkedDecoder {
    /// A decoder at the first chunk's size line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what it can use from the front of `buffer`; call again until [`ChunkEvent::More`] or [`ChunkEvent::End`].
    ///
    /// # Errors
    /// When the coding is broken; the rest of the connection is not to be understood then.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<ChunkEvent, BadChunk> {
        self.decode_at_most(buffer, usize::MAX)
    }

    /// The same, with at most `most` bytes of data at once.
    pub(crate) fn decode_at_most(
        &mut self,
        buffer: &mut BytesMut,
        most: usize,
    ) -> Result<ChunkEvent, BadChunk> {
        loop {
            match self.state {
                State::SizeLine => match self.size_line(buffer)? {
                    Some(0) => self.state = State::Trailers,
                    Some(size) => self.state = State::Data(size),
                    None => return Ok(ChunkEvent::More),
                },
                State::Data(_) if buffer.is_empty() => return Ok(ChunkEvent::More),
                State::Data(left) => {
                    let take = usize::try_from(left)
                        .unwrap_or(usize::MAX)
                        .min(buffer.len())
                        .min(most);
                    let left = left - take as u64;
                    self.state = if left == 0 {
                        State::DataEnd
                    } else {
                        State::Data(left)
                    };
                    return Ok(ChunkEvent::Data(buffer.split_to(take).freeze()));
                }
                State::DataEnd if buffer.len() < 2 => return Ok(ChunkEvent::More),
                State::DataEnd => {
                    if &buffer[..2] != b"\r\n" {
                        return Err(bad("malformed chunked encoding"));
                    }
                    buffer.advance(2);
                    self.state = State::SizeLine;
                    return Ok(ChunkEvent::ChunkEnd);
                }
                State::Trailers => {
                    let Some(trailers) = read_trailers(buffer)? else {
                        return Ok(ChunkEvent::More);
                    };
                    self.state = State::Done;
                    return Ok(ChunkEvent::End(trailers));
                }
                State::Done => return Ok(ChunkEvent::End(Vec::new())),
            }
        }
    }

    /// Whether the end of the body was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn size_line(&mut self, buffer: &mut BytesMut) -> Result<Option<u64>, BadChunk> {
        let Some(feed) = find_byte(b'\n', &buffer[..buffer.len().min(LINE_LIMIT)]) else {
            if buffer.len() >= LINE_LIMIT {
                return Err(bad("header line too long"));
            }
            return Ok(None);
        };
        match find_byte(b'\r', &buffer[..feed]) {
            None => return Err(bad("chunked line ends with bare LF")),
            Some(place) if place + 1 != feed => return Err(bad("invalid CR in chunked line")),
            Some(_) => {}
        }
        let line = &buffer[..feed - 1];
        let size = parse_size(line)?;
        self.excess += line.len() as u64 + 2;
        self.excess = self.excess.saturating_sub(16 + size.saturating_mul(2));
        if self.excess > 16 * 1024 {
            return Err(bad("chunked encoding contains too much non-data"));
        }
        buffer.advance(feed + 1);
        Ok(Some(size))
    }
}

fn parse_size(line: &[u8]) -> Result<u64, BadChunk> {
    let line = line.trim_ascii_end();
    let size = &line[..find_byte(b';', line).unwrap_or(line.len())];
    if size.is_empty() {
        return Err(bad("empty hex number for chunk length"));
    }
    let mut number = 0_u64;
    for (index, &byte) in size.iter().enumerate() {
        let digit = hex_digit(byte).ok_or(bad("invalid byte in chunk length"))?;
        if index == 16 {
            return Err(bad("http chunk length too large"));
        }
        number = number << 4 | u64::from(digit);
    }
    Ok(number)
}

fn read_trailers(buffer: &mut BytesMut) -> Result<Option<Vec<Field>>, BadChunk> {
    if buffer.len() < 2 {
        return Ok(None);
    }
    if buffer.starts_with(b"\r\n") {
        buffer.advance(2);
        return Ok(Some(Vec::new()));
    }
    let window = &buffer[..buffer.len().min(LINE_LIMIT)];
    let Some(end) = window.windows(4).position(|four| four == b"\r\n\r\n") else {
        if buffer.len() >= LINE_LIMIT {
            return Err(bad("http: suspiciously long trailer after chunked body"));
        }
        return Ok(None);
    };
    let block = buffer.split_to(end + 4).freeze();
    parse_field_block(&block)
        .map(Some)
        .map_err(|_| bad("malformed MIME header line"))
}

/// One chunk with this data, which must not be empty: an empty chunk is the last.
#[must_use]
pub fn chunk(data: &[u8]) -> Vec<u8> {
    debug_assert!(!data.is_empty(), "an empty chunk ends the body");
    let mut out = Vec::with_capacity(data.len() + 20);
    push_chunk(&mut out, data);
    out
}

pub(crate) fn push_chunk(out: &mut Vec<u8>, data: &[u8]) {
    push_chunk_size(out, data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn push_chunk_size(out: &mut Vec<u8>, length: usize) {
    use std::io::Write as _;
    write!(out, "{length:x}\r\n").expect("a vector takes every write");
}

fn bad(reason: &'static str) -> BadChunk {
    BadChunk { reason }
}

/// The size of Go's read buffer, which a size line and the trailers must fit in.
const LINE_LIMIT: usize = 4096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Whole = Result<(Vec<u8>, Option<Vec<Field>>, usize), BadChunk>;

    fn decode(pieces: &[&[u8]]) -> Whole {
        let mut decoder = ChunkedDecoder::new();
        let mut buffer = BytesMut::new();
        let mut data = Vec::new();
        let mut trailers = None;
        for piece in pieces {
            buffer.extend_from_slice(piece);
            while trailers.is_none() {
                match decoder.decode(&mut buffer)? {
                    ChunkEvent::Data(piece) => data.extend_from_slice(&piece),
                    ChunkEvent::ChunkEnd => {}
                    ChunkEvent::End(fields) => trailers = Some(fields),
                    ChunkEvent::More => break,
                }
            }
        }
        Ok((data, trailers, buffer.len()))
    }

    #[test]
    fn data_extensions_and_trailers() {
        let (data, trailers, rest) =
            decode(&[b"2;x=\"y\"\r\nab\r\n1 \r\nc\r\n0\r\nX-T: 1\r\n\r\nGET"]).unwrap();
        assert_eq!((data.as_slice(), rest), (&b"abc"[..], 3));
        let trailers = trailers.unwrap();
        assert_eq!(
            (&trailers[0].name[..], &trailers[0].value[..]),
            (&b"X-T"[..], &b"1"[..])
        );
    }

    #[test]
    fn broken_in_gos_words() {
        for (body, reason) in [
            ("zz\r\n", "invalid byte in chunk length"),
            ("\r\n", "empty hex number for chunk length"),
            ("1\nx", "chunked line ends with bare LF"),
            ("1\rx\r\n", "invalid CR in chunked line"),
            ("11111111111111111\r\n", "http chunk length too large"),
            ("1\r\nxy\r\n", "malformed chunked encoding"),
        ] {
            assert_eq!(
                decode(&[body.as_bytes()]),
                Err(BadChunk { reason }),
                "{body}"
            );
        }
        let tiny = b"1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\na\r\n".repeat(2000);
        assert_eq!(
            decode(&[&tiny]).unwrap_err().reason,
            "chunked encoding contains too much non-data"
        );
        let long = vec![b'1'; 5000];
        assert_eq!(decode(&[&long]).unwrap_err().reason, "header line too long");
    }

    proptest! {
        #[test]
        fn segmentation_does_not_matter(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
            spoil in proptest::option::of((0_usize..200, any::<u8>())),
            cuts in proptest::collection::vec(0_usize..250, 0..8),
        ) {
            let mut wire: Vec<u8> = chunks.iter().flat_map(|data| chunk(data)).collect();
            wire.extend_from_slice(b"0\r\nA: b\r\n\r\nrest");
            if let Some((at, byte)) = spoil {
                let at = at % wire.len();
                wire[at] = byte;
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
            prop_assert_eq!(decode(&pieces), decode(&[&wire]));
            if spoil.is_none() {
                let whole: Vec<u8> = chunks.concat();
                prop_assert_eq!(decode(&[&wire]).unwrap().0, whole);
            }
        }
    }
}
