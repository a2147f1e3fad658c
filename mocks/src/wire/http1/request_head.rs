//! A request head, accepted and refused as Go's `net/http` server does (1.26).

use bytes::Bytes;

use super::field_lines::{FieldSpan, Lines, Span, parse_fields};
use super::rejection::Rejection;
use super::request_line::{parse_request_line, table};
use super::target::Target;
use crate::ledger::Framing;

/// A head that Go would hand to a handler: the bytes, and where things are in them.
#[derive(Clone, Debug)]
pub(crate) struct RequestHead {
    pub(crate) bytes: Bytes,
    pub(crate) method: Span,
    pub(crate) target: Span,
    pub(crate) parts: Target,
    pub(crate) version: Version,
    pub(crate) fields: Vec<FieldSpan>,
    pub(crate) framing: Framing,
    pub(crate) persistence: Persistence,
    pub(crate) expectation: Expectation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.x.
    One(u8),
    /// `PRI * HTTP/2.0`, which Go hands to the handler.
    Preface,
}

/// What the request says about the connection after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// HTTP/1.1 without `close`.
    Keep,
    /// HTTP/1.0 with `keep-alive`: kept if the answer has a length.
    KeepIfAsked,
    /// Closed after the answer.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    None,
    Continue,
    Unknown,
}

impl RequestHead {
    /// Reads a complete head, with the empty line that ends it.
    pub(crate) fn parse(bytes: Bytes) -> Result<Self, Rejection> {
        let mut lines = Lines::of(&bytes);
        let line = lines.next().ok_or(Rejection::BadRequest)?;
        let (method, target, version) = parse_request_line(&bytes, line)?;
        let parts =
            Target::parse(method.of(&bytes), target.of(&bytes)).ok_or(Rejection::BadRequest)?;
        let fields = parse_fields(&bytes, lines)?;
        let mut head = Self {
            method,
            target,
            parts,
            version: Version::One(1),
            fields,
            framing: Framing::None,
            persistence: Persistence::Keep,
            expectation: Expectation::None,
            bytes,
        };
        if head.all("host").count() > 1 {
            return Err(Rejection::BadRequest);
        }
        head.framing = head.find_framing(version)?;
        head.version = head.check_version(version)?;
        head.check_fields()?;
        head.persistence = head.find_persistence(version);
        head.expectation = head.find_expectation();
        Ok(head)
    }

    /// The field values of this name, case not regarded, folds joined.
    pub(crate) fn all<'h>(&'h self, name: &str) -> impl Iterator<Item = &'h [u8]> {
        self.fields
            .iter()
            .filter(move |field| {
                field
                    .name(&self.bytes)
                    .eq_ignore_ascii_case(name.as_bytes())
            })
            .map(|field| field.value(&self.bytes))
    }

    pub(crate) fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name).any(|value| {
            value
                .split(|&byte| byte == b',')
                .any(|word| word.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
        })
    }

    pub(crate) fn is_preface(&self) -> bool {
        self.version == Version::Preface
    }

    fn find_framing(&self, version: (u8, u8)) -> Result<Framing, Rejection> {
        // HTTP/1.0 knows no transfer coding: Go ignores the field there.
        let chunked = if version < (1, 1) {
            None
        } else {
            self.transfer_encoding()?
        };
        let length = self.content_length()?;
        if chunked.is_some() {
            self.check_trailer_names()?;
            return Ok(Framing::Chunked);
        }
        Ok(match length {
            Some(0) | None => Framing::None,
            Some(length) => Framing::Length(length),
        })
    }

    fn transfer_encoding(&self) -> Result<Option<()>, Rejection> {
        let mut values = self.all("transfer-encoding");
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Rejection::UnsupportedTransferEncoding);
        }
        Ok(Some(()))
    }

    fn content_length(&self) -> Result<Option<u64>, Rejection> {
        let mut values = self.all("content-length");
        let Some(first) = values.next() else {
            return Ok(None);
        };
        if values.any(|value| value != first) {
            return Err(Rejection::BadRequest);
        }
        parse_length(first).map(Some).ok_or(Rejection::BadRequest)
    }

    fn check_trailer_names(&self) -> Result<(), Rejection> {
        let forbidden = ["transfer-encoding", "trailer", "content-length"];
        if forbidden.iter().any(|name| self.has_token("trailer", name)) {
            return Err(Rejection::BadRequest);
        }
        Ok(())
    }

    fn check_version(&self, version: (u8, u8)) -> Result<Version, Rejection> {
        match version {
            (1, minor) => Ok(Version::One(minor)),
            (2, 0)
                if self.method.of(&self.bytes) == b"PRI" && self.target.of(&self.bytes) == b"*" =>
            {
                Ok(Version::Preface)
            }
            _ => Err(Rejection::UnsupportedVersion),
        }
    }

    fn check_fields(&self) -> Result<(), Rejection> {
        let bare_preface = self.is_preface() && self.fields.is_empty();
        let exempt = bare_preface || self.method.of(&self.bytes) == b"CONNECT";
        match self.first("host") {
            None if self.version != Version::One(0) && !exempt => {
                return Err(Rejection::BadRequestFor("missing required Host header"));
            }
            Some(host) if !host.iter().all(|&byte| valid_in_host_field(byte)) => {
                return Err(Rejection::BadRequestFor("malformed Host header"));
            }
            _ => {}
        }
        // A space is all that `parse_fields` lets pass beside a token.
        let spaced = |field: &FieldSpan| field.name(&self.bytes).contains(&b' ');
        if !self.fields.iter().any(spaced) {
            Ok(())
        } else {
            Err(Rejection::BadRequestFor("invalid header name"))
        }
    }

    fn find_persistence(&self, version: (u8, u8)) -> Persistence {
        let close = self.has_token("connection", "close");
        match version {
            // A preface is closed after whatever the handler answers.
            (2, _) => Persistence::Close,
            _ if close => Persistence::Close,
            (1, 0) if self.has_token("connection", "keep-alive") => Persistence::KeepIfAsked,
            (1, 0) => Persistence::Close,
            _ => Persistence::Keep,
        }
    }

    fn find_expectation(&self) -> Expectation {
        match self.first("expect") {
            None | Some(b"") => Expectation::None,
            Some(_) if self.has_token("expect", "100-continue") => {
                match (self.version, self.framing) {
                    (Version::One(0), _) | (_, Framing::None) => Expectation::None,
                    _ => Expectation::Continue,
                }
            }
            Some(_) => Expectation::Unknown,
        }
    }
}

/// Go's `parseContentLength`: digits only, below 2^63.
fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let length: u64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    (length <= i64::MAX as u64).then_some(length)
}

/// `httpguts.ValidHostHeader`: what RFC 3986 lets an authority hold.
fn valid_in_host_field(byte: u8) -> bool {
    const VALID: [bool; 256] = table(b"!$%&()*+,-.:;='[]_~");
    VALID[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::head_scan::HeadScan;
    use super::*;

    fn parse(head: &[u8]) -> Result<RequestHead, Rejection> {
        let mut scan = HeadScan::default();
        let length = scan.advance(head)?.expect("a complete head");
        RequestHead::parse(Bytes::copy_from_slice(&head[..length]))
    }

    fn refused(head: &str) -> Rejection {
        parse(head.as_bytes()).expect_err(head)
    }

    #[test]
    fn what_go_takes_to_ones_surprise() {
        for head in [
            "get / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.9\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
            "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert!(parse(head.as_bytes()).is_ok(), "{head}");
        }
    }

    #[test]
    fn what_go_refuses_and_how() {
        let bare = Rejection::BadRequest;
        let missing_host = Rejection::BadRequestFor("missing required Host header");
        let cases = [
            ("GARBAGE\r\n\r\n", bare),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", bare),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", bare),
            ("GET / HTTP/11\r\nHost: a\r\n\r\n", bare),
            ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", bare),
            ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\nHost: a\r\nX@: 1\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", bare),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", bare),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                bare,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
                bare,
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", bare),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                bare,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: content-length\r\n\r\n",
                bare,
            ),
            ("GET / HTTP/1.1\r\n\r\n", missing_host),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", missing_host),
            (
                "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
                Rejection::BadRequestFor("malformed Host header"),
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
                Rejection::BadRequestFor("invalid header name"),
            ),
            (
                "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
                Rejection::UnsupportedVersion,
            ),
            (
                "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
                Rejection::UnsupportedVersion,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                Rejection::UnsupportedTransferEncoding,
            ),
            (
                "GET / HTTP/2.0\r\nTransfer-Encoding: x\r\n\r\n",
                Rejection::UnsupportedVersion,
            ),
        ];
        for (head, want) in cases {
            // Go reads the framing before it looks at the version.
            let want = if head.contains("2.0\r\nTransfer") {
                Rejection::UnsupportedTransferEncoding
            } else {
                want
            };
            assert_eq!(refused(head), want, "{head}");
        }
    }

    #[test]
    fn refused_before_the_head_is_complete() {
        assert_eq!(
            HeadScan::default().advance(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"),
            Err(Rejection::BadRequest)
        );
        assert_eq!(
            HeadScan::default().advance(b"GET / HTTP/1.1\r\nnocolon\r\n"),
            Err(Rejection::BadRequest)
        );
        assert_eq!(HeadScan::default().advance(b"GARBAGE"), Ok(None));
    }

    #[test]
    fn folds_are_joined() {
        let head =
            parse(b"GET / HTTP/1.1\r\nHost: a\r\nX:  one \r\n\t two\r\n \r\nY: z\r\n\r\n").unwrap();
        assert_eq!(head.first("x"), Some(&b"one two"[..]));
        assert_eq!(head.first("y"), Some(&b"z"[..]));
    }

    #[test]
    fn framing_and_persistence() {
        let of = |fields: &str| {
            let head =
                parse(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes()).unwrap();
            (head.framing, head.persistence, head.expectation)
        };
        let (keep, none) = (Persistence::Keep, Expectation::None);
        assert_eq!(of(""), (Framing::None, keep, none));
        assert_eq!(
            of("Content-Length: 3\r\n"),
            (Framing::Length(3), keep, none)
        );
        assert_eq!(
            of("Content-Length: 3\r\nTransfer-Encoding: Chunked\r\n"),
            (Framing::Chunked, keep, none)
        );
        assert_eq!(
            of("Connection: x, Close\r\n"),
            (Framing::None, Persistence::Close, none)
        );
        assert_eq!(of("Expect: 100-continue\r\n"), (Framing::None, keep, none));
        assert_eq!(
            of("Expect: 100-Continue\r\nContent-Length: 1\r\n").2,
            Expectation::Continue
        );
        assert_eq!(of("Expect: tea\r\n").2, Expectation::Unknown);
        let old =
            parse(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: x\r\n\r\n")
                .unwrap();
        assert_eq!(
            (old.framing, old.persistence),
            (Framing::None, Persistence::KeepIfAsked)
        );
    }

    proptest! {
        #[test]
        fn segmentation_does_not_matter(
            head in prop_oneof![
                "(GET|POST|PRI) (/[a-z%2]{0,4}|\\*) HTTP/[12]\\.[01]\r\n((Host|X-A|x b|Content-Length): ?[a-z0-9 ]{0,5}\r\n( y\r\n)?){0,4}\r\n",
                "[GETX/ :\r\na]{0,40}\r\n\r\n",
            ],
            cuts in proptest::collection::vec(0_usize..200, 0..6),
        ) {
            let bytes = head.as_bytes();
            let whole = HeadScan::default().advance(bytes);
            let mut scan = HeadScan::default();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let mut last = Ok(None);
            for cut in cuts {
                last = scan.advance(&bytes[..cut]);
                if last != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(last, whole);
            if let Ok(Some(length)) = whole {
                // Whatever is scanned as complete is read or refused, never a panic.
                let _ = RequestHead::parse(Bytes::copy_from_slice(&bytes[..length]));
            }
        }

        #[test]
        fn at_once_is_line_by_line(
            bytes in "(GET / HTTP/1.1|x|)(\r\n|\n)(a: b|c|)(\r\n|\n)(a: b|c| )?(\r\n|\n)?(\r\n|\n)?x?",
        ) {
            let bytes = bytes.as_bytes();
            let parsed = |length: usize| RequestHead::parse(Bytes::copy_from_slice(&bytes[..length])).map(|_| length);
            if let Some(length) = HeadScan::default().at_once(bytes) {
                let by_line = HeadScan::default().advance(bytes).and_then(|length| parsed(length.expect("complete")));
                prop_assert_eq!(parsed(length), by_line);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Some(length)) = HeadScan::default().advance(&bytes) {
                let _ = RequestHead::parse(Bytes::copy_from_slice(&bytes[..length]));
            }
        }
    }
}
