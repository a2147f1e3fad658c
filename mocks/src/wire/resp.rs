//! RESP, the Redis serialization protocol (version 2), as far as the upstreams speak it.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes that are not a command as CPA reads it: an array of bulk strings, simple strings or integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("protocol error")]
pub struct BadCommand;

/// Takes the first whole command off the front of `buffer`; `None` if it is not complete.
///
/// # Errors
/// When it is not an array, or an element or a length is not as it should be; found as early as it can be known.
pub fn take_command(buffer: &mut BytesMut) -> Result<Option<Vec<Bytes>>, BadCommand> {
    let mut cursor = Cursor {
        bytes: buffer,
        at: 0,
    };
    let Some((words, length)) = cursor.command()? else {
        return Ok(None);
    };
    let whole = buffer.split_to(length).freeze();
    Ok(Some(
        words
            .into_iter()
            .map(|(start, end)| whole.slice(start..end))
            .collect(),
    ))
}

/// A reply as a client reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+text`
    Simple(Bytes),
    /// `-text`
    Error(Bytes),
    /// `:number`
    Integer(i64),
    /// `$length` and bytes; `None` for `$-1`.
    Bulk(Option<Bytes>),
    /// `*count` and that many replies; `None` for `*-1`.
    Array(Option<Vec<Self>>),
}

impl Reply {
    /// Takes the first whole reply off the front of `buffer`; `None` if it is not complete.
    ///
    /// # Errors
    /// When it is not RESP.
    pub fn take(buffer: &mut BytesMut) -> Result<Option<Self>, BadCommand> {
        let mut cursor = Cursor {
            bytes: buffer,
            at: 0,
        };
        let Some(reply) = cursor.reply(0)? else {
            return Ok(None);
        };
        let length = cursor.at;
        buffer.advance(length);
        Ok(Some(reply))
    }

    /// Appends the reply's bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => push_line(out, b'+', text),
            Self::Error(text) => push_line(out, b'-', text),
            Self::Integer(number) => push_line(out, b':', number.to_string().as_bytes()),
            Self::Bulk(None) => out.extend_from_slice(b"$-1\r\n"),
            Self::Bulk(Some(bytes)) => {
                push_line(out, b'$', bytes.len().to_string().as_bytes());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Self::Array(None) => out.extend_from_slice(b"*-1\r\n"),
            Self::Array(Some(replies)) => {
                push_line(out, b'*', replies.len().to_string().as_bytes());
                replies.iter().for_each(|reply| reply.encode(out));
            }
        }
    }
}

/// A command's bytes: an array of bulk strings.
#[must_use]
pub fn command(words: &[&[u8]]) -> Vec<u8> {
    let bulk = |word: &&[u8]| Reply::Bulk(Some(Bytes::copy_from_slice(word)));
    let mut out = Vec::new();
    Reply::Array(Some(words.iter().map(bulk).collect())).encode(&mut out);
    out
}

fn push_line(out: &mut Vec<u8>, kind: u8, text: &[u8]) {
    out.push(kind);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

type Words = Vec<(usize, usize)>;

impl Cursor<'_> {
    fn command(&mut self) -> Result<Option<(Words, usize)>, BadCommand> {
        match self.bytes.first() {
            None => return Ok(None),
            Some(b'*') => self.at = 1,
            Some(_) => return Err(BadCommand),
        }
        let Some(count) = self.number()? else {
            return Ok(None);
        };
        let count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= WORDS_LIMIT)
            .ok_or(BadCommand)?;
        let mut words = Vec::new();
        for _ in 0..count {
            match self.word()? {
                Some(word) => words.push(word),
                None => return Ok(None),
            }
        }
        Ok(Some((words, self.at)))
    }

    fn word(&mut self) -> Result<Option<(usize, usize)>, BadCommand> {
        match self.bytes.get(self.at) {
            None => Ok(None),
            Some(b'+' | b':') => {
                self.at += 1;
                self.line()
            }
            Some(b'$') => {
                self.at += 1;
                let Some(length) = self.number()? else {
                    return Ok(None);
                };
                let length = usize::try_from(length).map_err(|_| BadCommand)?;
                self.bulk(length)
            }
            Some(_) => Err(BadCommand),
        }
    }

    fn bulk(&mut self, length: usize) -> Result<Option<(usize, usize)>, BadCommand> {
        if length > BULK_LIMIT {
            return Err(BadCommand);
        }
        let (start, end) = (self.at, self.at + length);
        match self.bytes.get(end..end + 2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.at = end + 2;
                Ok(Some((start, end)))
            }
            Some(_) => Err(BadCommand),
        }
    }

    /// A line up to CRLF, as a range without it.
    fn line(&mut self) -> Result<Option<(usize, usize)>, BadCommand> {
        let start = self.at;
        let Some(feed) = self.bytes[start..].iter().position(|&byte| byte == b'\n') else {
            return if self.bytes.len() - start > LINE_LIMIT {
                Err(BadCommand)
            } else {
                Ok(None)
            };
        };
        let end = start + feed;
        if feed == 0 || self.bytes[end - 1] != b'\r' {
            return Err(BadCommand);
        }
        self.at = end + 1;
        Ok(Some((start, end - 1)))
    }

    fn number(&mut self) -> Result<Option<i64>, BadCommand> {
        let Some((start, end)) = self.line()? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&self.bytes[start..end]).map_err(|_| BadCommand)?;
        text.parse().map(Some).map_err(|_| BadCommand)
    }

    fn reply(&mut self, depth: u8) -> Result<Option<Reply>, BadCommand> {
        let Some(&kind) = self.bytes.get(self.at) else {
            return Ok(None);
        };
        self.at += 1;
        if matches!(kind, b'+' | b'-') {
            let Some((start, end)) = self.line()? else {
                return Ok(None);
            };
            let text = Bytes::copy_from_slice(&self.bytes[start..end]);
            return Ok(Some(if kind == b'+' {
                Reply::Simple(text)
            } else {
                Reply::Error(text)
            }));
        }
        let Some(number) = self.number()? else {
            return Ok(None);
        };
        match (kind, usize::try_from(number)) {
            (b':', _) => Ok(Some(Reply::Integer(number))),
            (b'$', Err(_)) => Ok(Some(Reply::Bulk(None))),
            (b'$', Ok(length)) => Ok(self.bulk(length)?.map(|(start, end)| {
                Reply::Bulk(Some(Bytes::copy_from_slice(&self.bytes[start..end])))
            })),
            (b'*', Err(_)) => Ok(Some(Reply::Array(None))),
            (b'*', Ok(count)) if count <= WORDS_LIMIT && depth < DEPTH_LIMIT => {
                self.replies(count, depth + 1)
            }
            _ => Err(BadCommand),
        }
    }

    fn replies(&mut self, count: usize, depth: u8) -> Result<Option<Reply>, BadCommand> {
        let mut replies = Vec::new();
        for _ in 0..count {
            match self.reply(depth)? {
                Some(reply) => replies.push(reply),
                None => return Ok(None),
            }
        }
        Ok(Some(Reply::Array(Some(replies))))
    }
}

/// Bounds that no command or reply of the upstreams comes near; a peer must not make a reader buffer without end.
const WORDS_LIMIT: usize = 100_000;
const BULK_LIMIT: usize = 16 << 20;
const LINE_LIMIT: usize = 64 * 1024;
const DEPTH_LIMIT: u8 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn take(bytes: &[u8]) -> Result<Option<Vec<Bytes>>, BadCommand> {
        take_command(&mut BytesMut::from(bytes))
    }

    #[test]
    fn commands() {
        assert_eq!(
            take(b"*2\r\n$4\r\nAUTH\r\n+key\r\n"),
            Ok(Some(vec!["AUTH".into(), "key".into()]))
        );
        assert_eq!(take(b"*1\r\n:12\r\n"), Ok(Some(vec!["12".into()])));
        assert_eq!(take(b"*0\r\n"), Ok(Some(vec![])));
        assert_eq!(take(b"*2\r\n$4\r\nAUTH\r\n"), Ok(None));
        for bad in [
            "+OK\r\n",
            "$4\r\nPING\r\n",
            "*-1\r\n",
            "*x\r\n",
            "*1\r\n$x\r\n",
            "*1\r\n$-1\r\n",
            "*1\r\n$1\r\nab\r\n",
            "*1\r\n-x\r\n",
            "*1\n",
        ] {
            assert_eq!(take(bad.as_bytes()), Err(BadCommand), "{bad}");
        }
    }

    #[test]
    fn replies_both_ways() {
        let reply = Reply::Array(Some(vec![
            Reply::Simple("OK".into()),
            Reply::Error("ERR x".into()),
            Reply::Integer(-3),
            Reply::Bulk(None),
            Reply::Bulk(Some("a\r\nb".into())),
            Reply::Array(None),
        ]));
        let mut wire = Vec::new();
        reply.encode(&mut wire);
        for cut in 0..wire.len() {
            assert_eq!(Reply::take(&mut BytesMut::from(&wire[..cut])), Ok(None));
        }
        assert_eq!(Reply::take(&mut BytesMut::from(&wire[..])), Ok(Some(reply)));
    }

    proptest! {
        #[test]
        fn segmentation_does_not_matter(
            words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..4),
            spoil in proptest::option::of((0_usize..100, any::<u8>())),
        ) {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let mut wire = command(&words);
            if let Some((at, byte)) = spoil {
                let at = at % wire.len();
                wire[at] = byte;
            }
            let whole = take(&wire);
            let mut buffer = BytesMut::new();
            let mut last = Ok(None);
            for &byte in &wire {
                buffer.extend_from_slice(&[byte]);
                last = take_command(&mut buffer);
                if last != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(last, whole);
        }
    }
}
