//! A request as either HTTP version writes it.

use bytes::{BufMut, Bytes, BytesMut};
use proxyproof_mocks::PROBE_HEADER;
use proxyproof_mocks::ledger::{Field, RawHead};

use super::request::{Continuation, Payload, Request, Tagging};

impl Request {
    /// The head as HTTP/1.1 writes it, from the request line to the empty line.
    #[must_use]
    pub fn h1_head(&self) -> RawHead {
        let mut head = BytesMut::new();
        for part in [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n"] {
            head.put_slice(part);
        }
        if let Some(host) = &self.host {
            put_line(&mut head, b"Host", host);
        }
        for field in self.common_fields() {
            put_line(&mut head, &field.name, &field.value);
        }
        if self.is_chunked() && !self.has("transfer-encoding") {
            put_line(&mut head, b"Transfer-Encoding", b"chunked");
        }
        if self.lacks_a_length() {
            put_line(&mut head, b"Content-Length", b"0");
        }
        head.put_slice(b"\r\n");
        RawHead::new(head.freeze())
    }

    /// Head and body as HTTP/1.1 writes them, for a raw connection; a body written through the exchange is left out.
    #[must_use]
    pub fn h1_bytes(&self) -> Bytes {
        let mut out = BytesMut::from(&self.h1_head().bytes()[..]);
        match &self.payload {
            Payload::Length(body) => out.put_slice(body),
            Payload::Chunked(chunks) => {
                for chunk in chunks {
                    out.put_slice(&h1_chunk(chunk));
                }
                out.put_slice(&h1_last_chunk(&self.trailers));
            }
            Payload::None | Payload::StreamedLength(_) | Payload::Streamed => {}
        }
        out.freeze()
    }

    /// The fields of HTTP/2, pseudo-header fields first (RFC 9113 section 8.3.1), names in lower case.
    #[must_use]
    pub fn h2_fields(&self) -> Vec<Field> {
        // The client spoke TLS with the front, wherever the candidate takes the request up.
        let scheme = Bytes::from_static(b"https");
        let mut fields = vec![pseudo(":method", &self.method), pseudo(":scheme", &scheme)];
        if let Some(host) = &self.host {
            fields.push(pseudo(":authority", host));
        }
        fields.push(pseudo(":path", &self.target));
        fields.extend(self.common_fields().iter().map(in_lower_case));
        fields
    }

    /// The trailer fields of HTTP/2.
    pub(crate) fn h2_trailers(&self) -> Vec<Field> {
        self.trailers.iter().map(in_lower_case).collect()
    }

    /// The head as a report shows it for HTTP/2.
    pub(crate) fn h2_head(&self) -> RawHead {
        let mut head = BytesMut::new();
        for part in [&self.method[..], b" ", &self.target, b" HTTP/2\r\n"] {
            head.put_slice(part);
        }
        for field in self.h2_fields() {
            if !matches!(&field.name[..], b":method" | b":path") {
                put_line(&mut head, &field.name, &field.value);
            }
        }
        head.put_slice(b"\r\n");
        RawHead::new(head.freeze())
    }

    /// The probe id, the given fields, and those that follow from the body, for either version.
    fn common_fields(&self) -> Vec<Field> {
        let mut fields = Vec::with_capacity(self.fields.len() + 3);
        let mut add = |name: &'static str, value: Bytes| {
            fields.push(Field {
                name: Bytes::from_static(name.as_bytes()),
                value,
            });
        };
        if self.tagging == Tagging::Tagged {
            add(PROBE_HEADER, self.probe.to_string().into());
        }
        fields.extend(self.fields.iter().cloned());
        let mut add = |name: &'static str, value: Bytes| {
            if !self.has(name) {
                fields.push(Field {
                    name: Bytes::from_static(name.as_bytes()),
                    value,
                });
            }
        };
        if self.continuation == Continuation::Awaited {
            add("Expect", Bytes::from_static(b"100-continue"));
        }
        match &self.payload {
            Payload::Length(body) => add("Content-Length", body.len().to_string().into()),
            Payload::StreamedLength(length) => add("Content-Length", length.to_string().into()),
            Payload::None | Payload::Chunked(_) | Payload::Streamed => {}
        }
        if !self.trailers.is_empty() {
            let names: Vec<_> = self.trailers.iter().map(|field| &field.name[..]).collect();
            add("Trailer", names.join(&b", "[..]).into());
        }
        fields
    }

    /// A client says of these methods that there is no body (RFC 9110 section 8.6): a proxy may answer 411 without it.
    fn lacks_a_length(&self) -> bool {
        self.payload == Payload::None
            && matches!(&self.method[..], b"POST" | b"PUT" | b"PATCH")
            && !self.has("content-length")
            && !self.has("transfer-encoding")
    }

    fn is_chunked(&self) -> bool {
        matches!(self.payload, Payload::Chunked(_) | Payload::Streamed)
    }

    fn has(&self, name: &str) -> bool {
        let is_it = |field: &Field| field.name.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().any(is_it)
    }
}

/// HTTP/2 has no other names (RFC 9113 section 8.2.1).
fn in_lower_case(field: &Field) -> Field {
    Field {
        name: field.name.to_ascii_lowercase().into(),
        value: field.value.clone(),
    }
}

fn pseudo(name: &'static str, value: &Bytes) -> Field {
    Field {
        name: Bytes::from_static(name.as_bytes()),
        value: value.clone(),
    }
}

fn put_line(head: &mut BytesMut, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        head.put_slice(part);
    }
}

/// One chunk (RFC 9112 section 7.1); nothing for no bytes, which would be the last one.
pub(crate) fn h1_chunk(bytes: &[u8]) -> Bytes {
    let mut chunk = BytesMut::new();
    if !bytes.is_empty() {
        chunk.put_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
        chunk.put_slice(bytes);
        chunk.put_slice(b"\r\n");
    }
    chunk.freeze()
}

/// The last chunk with its trailer section.
pub(crate) fn h1_last_chunk(trailers: &[Field]) -> Bytes {
    let mut chunk = BytesMut::from(&b"0\r\n"[..]);
    for field in trailers {
        put_line(&mut chunk, &field.name, &field.value);
    }
    chunk.put_slice(b"\r\n");
    chunk.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request::new("POST", "/v1/responses", "api.example.org")
            .probe("00000000000000ab".parse().unwrap())
    }

    #[test]
    fn order_and_case_in_http_1() {
        let bytes = request()
            .header("x-B", "2")
            .header("A", "1")
            .body("hello")
            .h1_bytes();
        assert_eq!(
            bytes,
            "POST /v1/responses HTTP/1.1\r\nHost: api.example.org\r\nX-Proxyproof-Probe: 00000000000000ab\r\n\
             x-B: 2\r\nA: 1\r\nContent-Length: 5\r\n\r\nhello"
        );
    }

    #[test]
    fn a_method_that_can_have_a_body_says_that_there_is_none() {
        let says_so = |request: Request| request.h1_head().first("Content-Length").is_some();
        for (method, expected) in [("POST", true), ("PATCH", true), ("GET", false)] {
            let request = Request::new(method, "/v1/models", "api.example.org");
            assert_eq!(says_so(request), expected, "{method}");
        }
        assert!(!says_so(request().header("Transfer-Encoding", "gzip")));
    }

    #[test]
    fn chunks_and_trailers_in_http_1() {
        let bytes = request()
            .untagged()
            .chunks(["abc", "de"])
            .trailer("X-Sum", "5")
            .h1_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.ends_with(
            "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"
        ));
    }

    #[test]
    fn pseudo_header_fields_come_first() {
        let fields = request().header("X-Mixed", "1").body("x").h2_fields();
        let names: Vec<_> = fields
            .iter()
            .map(|field| std::str::from_utf8(&field.name).unwrap())
            .collect();
        assert_eq!(
            names,
            [
                ":method",
                ":scheme",
                ":authority",
                ":path",
                "x-proxyproof-probe",
                "x-mixed",
                "content-length"
            ]
        );
    }
}
