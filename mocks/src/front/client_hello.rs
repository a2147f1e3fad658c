//! The first flight of a TLS client, as Go's `crypto/tls` looks at it: is this TLS at all, and which names does it ask for?

use tokio::io::{AsyncRead, AsyncReadExt};

/// What the client's first flight asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientHello {
    /// The server name as sent; empty without one.
    pub(super) server_name: String,
    /// The protocols offered, in order.
    pub(super) protocols: Vec<String>,
}

/// How the first flight ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FirstFlight {
    /// A hello; all bytes read are kept for the handshake.
    Hello(ClientHello),
    /// Nothing that can be read as a hello, but TLS records: the TLS library is to refuse it in its own way.
    Unreadable,
    /// Refused with this fatal alert.
    Refused(Alert),
    /// Not TLS: closed without a byte.
    NotTls,
    /// The connection ended before the hello was whole.
    Ended,
}

/// A fatal alert of RFC 8446 section 6.2 that is sent before the handshake starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alert {
    RecordOverflow = 22,
    DecodeError = 50,
    ProtocolVersion = 70,
    UnrecognizedName = 112,
}

impl Alert {
    /// The alert as a record. Its version is that of an answer before negotiation, TLS 1.0.
    pub(super) fn record(self) -> [u8; 7] {
        [ALERT, 3, 1, 0, 2, FATAL, self as u8]
    }
}

/// Reads into `read` until the hello is whole or can never be.
pub(super) async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    read: &mut Vec<u8>,
) -> FirstFlight {
    loop {
        if let Some(flight) = examine(read) {
            return flight;
        }
        if !matches!(stream.read_buf(read).await, Ok(1..)) {
            return FirstFlight::Ended;
        }
    }
}

/// What the bytes so far amount to; `None` while more are needed.
fn examine(bytes: &[u8]) -> Option<FirstFlight> {
    let mut message = Vec::new();
    let mut rest = bytes;
    loop {
        let (header, after) = rest.split_at_checked(RECORD_HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if let Some(refusal) = refuse(header, length) {
            return Some(refusal);
        }
        if header[0] != HANDSHAKE {
            return Some(FirstFlight::Unreadable);
        }
        let (content, after) = after.split_at_checked(length)?;
        message.extend(content);
        if let Some(flight) = examine_message(&message) {
            return Some(flight);
        }
        rest = after;
    }
}

fn refuse(header: &[u8], length: usize) -> Option<FirstFlight> {
    match header {
        // An SSLv2 hello, as Go guesses.
        [0x80, ..] => Some(FirstFlight::Refused(Alert::ProtocolVersion)),
        [kind, major, ..] if !matches!(*kind, ALERT | HANDSHAKE) || *major >= 0x10 => {
            Some(FirstFlight::NotTls)
        }
        _ if length > LARGEST_RECORD => Some(FirstFlight::Refused(Alert::RecordOverflow)),
        _ => None,
    }
}

fn examine_message(message: &[u8]) -> Option<FirstFlight> {
    let mut reader = Reader(message);
    let (kind, length) = (reader.number(1)?, reader.number(3)?);
    if kind != CLIENT_HELLO || length > LARGEST_HELLO {
        return Some(FirstFlight::Unreadable);
    }
    let body = reader.bytes(length)?;
    Some(match extensions(body).map(ClientHello::read) {
        Some(Ok(hello)) => FirstFlight::Hello(hello),
        Some(Err(alert)) => FirstFlight::Refused(alert),
        None => FirstFlight::Unreadable,
    })
}

/// The extensions of a hello's body; empty if it has none, `None` if it cannot be read.
fn extensions(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    reader.bytes(VERSION_AND_RANDOM)?;
    for width in [1, 2, 1] {
        // Session id, cipher suites, compression methods.
        reader.list(width)?;
    }
    if reader.0.is_empty() {
        Some(&[])
    } else {
        reader.list(2)
    }
}

impl ClientHello {
    fn read(extensions: &[u8]) -> Result<Self, Alert> {
        let mut hello = Self {
            server_name: String::new(),
            protocols: Vec::new(),
        };
        let mut reader = Reader(extensions);
        while !reader.0.is_empty() {
            let kind = reader.number(2).ok_or(Alert::DecodeError)?;
            let content = reader.list(2).ok_or(Alert::DecodeError)?;
            match kind {
                SERVER_NAME => {
                    hello.server_name = server_name(content).ok_or(Alert::DecodeError)?
                }
                PROTOCOLS => hello.protocols = protocols(content).ok_or(Alert::DecodeError)?,
                _ => {}
            }
        }
        Ok(hello)
    }
}

/// The one host name; `None` where Go refuses: two of them, an empty one, or one with a trailing dot.
fn server_name(content: &[u8]) -> Option<String> {
    let mut list = Reader(Reader(content).list(2)?);
    let mut found: Option<String> = None;
    while !list.0.is_empty() {
        let kind = list.number(1)?;
        let name = list.list(2)?;
        if name.is_empty() {
            return None;
        }
        if kind != HOST_NAME {
            continue;
        }
        if found.is_some() || name.ends_with(b".") {
            return None;
        }
        found = Some(String::from_utf8_lossy(name).into_owned());
    }
    Some(found.unwrap_or_default())
}

fn protocols(content: &[u8]) -> Option<Vec<String>> {
    let mut list = Reader(Reader(content).list(2)?);
    let mut protocols = Vec::new();
    while !list.0.is_empty() {
        let name = list.list(1).filter(|name| !name.is_empty())?;
        protocols.push(String::from_utf8_lossy(name).into_owned());
    }
    Some(protocols)
}

/// Reads numbers and length-prefixed lists off the front of bytes (RFC 8446 section 3).
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, width: usize) -> Option<usize> {
        Some(
            self.bytes(width)?
                .iter()
                .fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
        )
    }

    fn list(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.number(width)?;
        self.bytes(length)
    }
}

const RECORD_HEADER: usize = 5;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const FATAL: u8 = 2;
const CLIENT_HELLO: usize = 1;
const VERSION_AND_RANDOM: usize = 34;
const SERVER_NAME: usize = 0;
const HOST_NAME: usize = 0;
const PROTOCOLS: usize = 16;
/// 2^14 and what encryption may add before TLS 1.3.
const LARGEST_RECORD: usize = (1 << 14) + 2048;
/// Go's limit of a handshake message.
const LARGEST_HELLO: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(name: &str) -> Vec<u8> {
        let name = name.as_bytes();
        let entry = [&[0, 0, name.len() as u8], name].concat();
        let list = [&[0, entry.len() as u8], entry.as_slice()].concat();
        let alpn = b"\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1";
        let extensions = [&[0, 0, 0, list.len() as u8], list.as_slice(), alpn].concat();
        let body = [
            &[3; 34],
            &[0, 0, 2, 0x13, 0x01, 1, 0][..],
            &[0, extensions.len() as u8],
            &extensions,
        ]
        .concat();
        let message = [&[1, 0, 0, body.len() as u8], body.as_slice()].concat();
        [&[22, 3, 1, 0, message.len() as u8], message.as_slice()].concat()
    }

    #[test]
    fn a_hello_is_read_once_it_is_whole() {
        let bytes = hello("API.example.org");
        for end in 0..bytes.len() {
            assert_eq!(examine(&bytes[..end]), None);
        }
        let Some(FirstFlight::Hello(hello)) = examine(&bytes) else {
            panic!()
        };
        assert_eq!(hello.server_name, "API.example.org");
        assert_eq!(hello.protocols, ["h2", "http/1.1"]);
    }

    #[test]
    fn a_trailing_dot_is_a_decode_error() {
        assert_eq!(
            examine(&hello("api.")),
            Some(FirstFlight::Refused(Alert::DecodeError))
        );
    }

    #[test]
    fn other_protocols_are_told_by_five_bytes() {
        for bytes in [
            b"GET / HTTP/1.1\r\n".as_slice(),
            b"PROXY TCP4",
            b"\r\n\r\n\0",
        ] {
            assert_eq!(examine(bytes), Some(FirstFlight::NotTls));
        }
        assert_eq!(
            examine(b"\x80\x2e\x01\x00\x02"),
            Some(FirstFlight::Refused(Alert::ProtocolVersion))
        );
    }
}
