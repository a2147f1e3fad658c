//! The chunked coding of a response (RFC 9112 section 7.1), taken apart as its bytes arrive.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

/// A decoder; data is handed out before its chunk is whole.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    place: Place,
    trailers: Option<HeaderMap>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    Over,
    Broken,
}

/// The coding is broken; what follows cannot be told apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadChunk;

impl Chunks {
    /// Whether the last chunk was read and no trailers are left to take.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.place, Place::Over) && self.trailers.is_none()
    }

    /// The trailers, once, if there were any.
    pub(crate) const fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }

    /// Reads everything that is not data and stands before data; once broken, always broken.
    pub(crate) fn settle(&mut self, buffer: &mut BytesMut) -> Result<(), BadChunk> {
        let outcome = self.try_settle(buffer);
        if outcome.is_err() {
            self.place = Place::Broken;
        }
        outcome
    }

    fn try_settle(&mut self, buffer: &mut BytesMut) -> Result<(), BadChunk> {
        loop {
            match self.place {
                Place::Size => {
                    let Some(line) = take_line(buffer, LONGEST_SIZE_LINE)? else {
                        return Ok(());
                    };
                    self.place = match size(&line)? {
                        0 => Place::Trailers,
                        size => Place::Data(size),
                    };
                }
                Place::DataEnd if buffer.len() < 2 => return Ok(()),
                Place::DataEnd if buffer.starts_with(b"\r\n") => {
                    buffer.advance(2);
                    self.place = Place::Size;
                }
                Place::DataEnd | Place::Broken => return Err(BadChunk),
                Place::Trailers => {
                    let Some(trailers) = take_trailers(buffer)? else {
                        return Ok(());
                    };
                    self.trailers = (!trailers.is_empty()).then_some(trailers);
                    self.place = Place::Over;
                }
                Place::Data(_) | Place::Over => return Ok(()),
            }
        }
    }

    /// Data of the current chunk, if any is there; settle first.
    pub(crate) fn take_data(&mut self, buffer: &mut BytesMut) -> Option<Bytes> {
        let Place::Data(left) = self.place else {
            return None;
        };
        if buffer.is_empty() {
            return None;
        }
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let left = left - length as u64;
        self.place = if left == 0 {
            Place::DataEnd
        } else {
            Place::Data(left)
        };
        Some(buffer.split_to(length).freeze())
    }
}

fn take_line(buffer: &mut BytesMut, longest: usize) -> Result<Option<Bytes>, BadChunk> {
    match memchr::memchr(b'\n', buffer) {
        Some(end) if end <= longest => {
            let line = buffer.split_to(end + 1).freeze();
            line.strip_suffix(b"\r\n")
                .map(|line_without_end| Some(line.slice_ref(line_without_end)))
                .ok_or(BadChunk)
        }
        None if buffer.len() <= longest => Ok(None),
        _ => Err(BadChunk),
    }
}

/// The size of a chunk; extensions are dropped, as RFC 9112 section 7.1.1 asks of a recipient that does not know them.
fn size(line: &[u8]) -> Result<u64, BadChunk> {
    let digits = line
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    if digits.is_empty() || digits.len() > 16 {
        return Err(BadChunk);
    }
    let nibble = |&digit: &u8| char::from(digit).to_digit(16).ok_or(BadChunk);
    digits
        .iter()
        .try_fold(0, |size, digit| Ok(size << 4 | u64::from(nibble(digit)?)))
}

fn take_trailers(buffer: &mut BytesMut) -> Result<Option<HeaderMap>, BadChunk> {
    if buffer.starts_with(b"\r\n") {
        buffer.advance(2);
        return Ok(Some(HeaderMap::new()));
    }
    let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") else {
        return if buffer.len() <= LONGEST_TRAILERS {
            Ok(None)
        } else {
            Err(BadChunk)
        };
    };
    let text = buffer.split_to(end + 4).freeze();
    let mut fields = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&text, &mut fields)
    else {
        return Err(BadChunk);
    };
    let mut trailers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BadChunk)?;
        trailers.append(
            name,
            HeaderValue::from_bytes(field.value).map_err(|_| BadChunk)?,
        );
    }
    Ok(Some(trailers))
}

/// Bytes of a size line with its extensions.
const LONGEST_SIZE_LINE: usize = 4 << 10;

/// Bytes of a trailer section.
const LONGEST_TRAILERS: usize = 16 << 10;

const MOST_TRAILERS: usize = 64;

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{BadChunk, Chunks};

    /// Feeds the pieces one after the other.
    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool, Chunks), BadChunk> {
        let (mut chunks, mut buffer, mut data) = (Chunks::default(), BytesMut::new(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(piece);
            loop {
                chunks.settle(&mut buffer)?;
                let Some(taken) = chunks.take_data(&mut buffer) else {
                    break;
                };
                data.extend_from_slice(&taken);
            }
        }
        let left = !buffer.is_empty();
        Ok((data, left, chunks))
    }

    #[test]
    fn chunks_are_taken_apart_wherever_they_are_cut() {
        let text = b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n";
        for cut in 0..text.len() {
            let (first, second) = text.split_at(cut);
            let (data, left, mut chunks) = decode(&[first, second]).unwrap();
            assert_eq!(data, b"hello world");
            assert!(!chunks.is_over() && !left, "cut at {cut}");
            assert_eq!(chunks.take_trailers().unwrap()["x-sum"], "1");
            assert!(chunks.is_over(), "cut at {cut}");
        }
        let bytewise: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(decode(&bytewise).unwrap().0, b"hello world");
    }

    #[test]
    fn bytes_beyond_the_end_are_left() {
        let (data, left, chunks) = decode(&[b"1\r\nx\r\n0\r\n\r\nHTTP/1.1"]).unwrap();
        assert_eq!(
            (data.as_slice(), left, chunks.is_over()),
            (b"x".as_slice(), true, true)
        );
    }

    #[test]
    fn a_broken_coding_is_refused() {
        for text in [
            "x\r\n",
            "\r\n",
            "-1\r\n",
            "0x5\r\nhello",
            "11111111111111111\r\n",
            "1\nx\r\n",
            "1\r\nxy\r\n",
            "0\r\nno colon\r\n\r\n",
        ] {
            assert!(
                matches!(decode(&[text.as_bytes()]), Err(BadChunk)),
                "{text:?}"
            );
        }
    }
}
