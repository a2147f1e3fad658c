//! An answer's bytes, as Go's `http.ResponseWriter` would send them (`net/http` server, 1.26).

use super::chunked::push_chunk;
use super::content_type::sniff;
use super::decimal::Decimal;
use super::request_head::{Persistence, RequestHead, Version};
use super::response::{FieldOrder, Response};
use super::{Clock, status_text};

/// Turns what a handler writes into bytes. The caller sends `out`: after a flush, at the end, and when it grows long.
#[derive(Debug, Default)]
pub(crate) struct ResponseWriter {
    request: RequestFacts,
    response: Option<Response>,
    given: Given,
    declared_length: Option<u64>,
    buffer: Vec<u8>,
    header: Header,
    written: u64,
    closing: bool,
    clock: Clock,
    /// Bytes to be sent.
    pub(crate) out: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct RequestFacts {
    is_head: bool,
    minor: u8,
    persistence: Persistence,
}

impl Default for RequestFacts {
    fn default() -> Self {
        Self {
            is_head: false,
            minor: 1,
            persistence: Persistence::Keep,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Header {
    #[default]
    Pending,
    Written(Coding),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Chunked,
    Identity,
    /// HEAD, 204, 304: what is written as body is dropped.
    Absent,
}

/// Whether the handler has returned: a short answer gets its length then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    Running,
    Done,
}

impl ResponseWriter {
    /// Starts over for the answer to this request.
    pub(crate) fn begin(&mut self, head: &RequestHead) {
        self.request = RequestFacts {
            is_head: head.method.of(&head.bytes) == b"HEAD",
            minor: match head.version {
                Version::One(minor) => minor,
                Version::Preface => 1,
            },
            persistence: head.persistence,
        };
        self.response = None;
        self.given = Given::default();
        self.declared_length = None;
        self.buffer.clear();
        self.header = Header::Pending;
        self.written = 0;
        // A preface (and nothing else of version 2) is closed whatever the handler says.
        self.closing = head.is_preface();
    }

    /// `WriteHeader`: the first one counts, as in Go.
    pub(crate) fn start(&mut self, response: Response) {
        if self.response.is_none() {
            self.given = Given::of(&response);
            self.declared_length = self.given.length;
            self.response = Some(response);
        }
    }

    pub(crate) fn started(&self) -> bool {
        self.response.is_some()
    }

    pub(crate) fn header_written(&self) -> bool {
        self.header != Header::Pending
    }

    /// Whether this write would make the head's bytes, so that the request's body has to be settled before.
    pub(crate) fn would_write_header(&self, length: usize) -> bool {
        self.header == Header::Pending && self.buffer.len() + length > BUFFER
    }

    /// Says that the connection cannot be kept, before the head is written.
    pub(crate) fn close_after(&mut self) {
        self.closing = true;
    }

    /// Whether the connection is to be closed after this answer.
    pub(crate) fn closes(&self) -> bool {
        let short = match (self.declared_length, self.header) {
            (Some(length), Header::Written(Coding::Identity)) => length != self.written,
            _ => false,
        };
        self.closing || short
    }

    /// `Write`: buffers of 2048 bytes become chunks, larger pieces chunks of their own, as in Go's `bufio.Writer`.
    pub(crate) fn write(&mut self, mut data: &[u8]) {
        if self.response.is_none() {
            self.start(Response::new(200));
        }
        while self.buffer.len() + data.len() > BUFFER {
            if self.buffer.is_empty() {
                self.emit(data, Handler::Running);
                return;
            }
            let (now, later) = data.split_at(BUFFER - self.buffer.len());
            self.buffer.extend_from_slice(now);
            data = later;
            self.emit_buffer(Handler::Running);
        }
        self.buffer.extend_from_slice(data);
    }

    /// `Flush`: what is buffered becomes a chunk, the head before it.
    pub(crate) fn flush(&mut self) {
        if self.response.is_none() {
            self.start(Response::new(200));
        }
        self.emit_buffer(Handler::Running);
        if self.header == Header::Pending {
            self.write_header(&[], Handler::Running);
        }
    }

    /// The handler has returned.
    pub(crate) fn finish(&mut self) {
        if self.response.is_none() {
            self.start(Response::new(200));
        }
        self.emit_buffer(Handler::Done);
        if self.header == Header::Pending {
            self.write_header(&[], Handler::Done);
        }
        if self.header == Header::Written(Coding::Chunked) {
            self.out.extend_from_slice(b"0\r\n\r\n");
        }
    }

    fn emit_buffer(&mut self, handler: Handler) {
        if self.buffer.is_empty() {
            return;
        }
        let mut data = std::mem::take(&mut self.buffer);
        self.emit(&data, handler);
        data.clear();
        self.buffer = data;
    }

    fn emit(&mut self, data: &[u8], handler: Handler) {
        if self.header == Header::Pending {
            self.write_header(data, handler);
        }
        match self.header {
            Header::Written(Coding::Chunked) if data.is_empty() => {}
            Header::Written(Coding::Chunked) => push_chunk(&mut self.out, data),
            Header::Written(Coding::Identity) => {
                // Go refuses what goes beyond the declared length.
                let room = self
                    .declared_length
                    .map_or(u64::MAX, |length| length - self.written);
                let take = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
                self.out.extend_from_slice(&data[..take]);
                self.written += take as u64;
            }
            Header::Written(Coding::Absent) | Header::Pending => {}
        }
    }

    fn write_header(&mut self, data: &[u8], handler: Handler) {
        let mut response = self.response.take().unwrap_or_else(|| Response::new(200));
        let has_body = !matches!(response.status, 100..200 | 204 | 304);
        let mut extra = Extra::default();
        if handler == Handler::Done
            && has_body
            && self.declared_length.is_none()
            && (!self.request.is_head || !data.is_empty())
        {
            self.declared_length = Some(data.len() as u64);
            extra.length = self.declared_length;
        }
        self.decide_connection(has_body, &mut extra);
        if has_body && !data.is_empty() && !self.given.content_type && !self.given.content_encoding
        {
            extra.content_type = Some(sniff(data));
        }
        extra.date = !self.given.date;
        let coding = self.decide_coding(has_body, &mut extra);
        if self.closing && self.given.connection < Connection::WithClose {
            remove(&mut response, "Connection");
            extra.connection = (self.request.minor > 0).then_some("close");
        }
        if coding == Coding::Chunked {
            remove(&mut response, "Content-Length");
            remove(&mut response, "Transfer-Encoding");
        }
        self.push_head(&mut response, &extra);
        self.header = Header::Written(coding);
        self.response = Some(response);
    }

    fn decide_connection(&mut self, has_body: bool, extra: &mut Extra) {
        let lengthless = !self.request.is_head && self.declared_length.is_none() && has_body;
        let given = self.given.connection;
        match self.request.persistence {
            Persistence::Keep => {}
            Persistence::KeepIfAsked if !lengthless => {
                extra.connection = (given == Connection::None).then_some("keep-alive");
            }
            Persistence::KeepIfAsked | Persistence::Close => self.closing = true,
        }
        if given == Connection::Close {
            self.closing = true;
        }
    }

    fn decide_coding(&mut self, has_body: bool, extra: &mut Extra) -> Coding {
        if self.request.is_head || !has_body {
            return Coding::Absent;
        }
        if self.declared_length.is_some() {
            return Coding::Identity;
        }
        if self.request.minor > 0 && !self.given.identity {
            extra.chunked = true;
            return Coding::Chunked;
        }
        self.closing = true;
        Coding::Identity
    }

    fn push_head(&mut self, response: &mut Response, extra: &Extra) {
        let minor = u8::from(self.request.minor > 0);
        let out = &mut self.out;
        out.reserve(USUAL_HEAD);
        push_status_line(out, minor, response.status);
        if response.order == FieldOrder::Sorted && !response.fields.is_sorted_by(|a, b| a.0 <= b.0)
        {
            response.fields.sort_by(|a, b| a.0.cmp(&b.0));
        }
        for (name, value) in &response.fields {
            push_field(out, name.as_bytes(), value.as_bytes());
        }
        if extra.date {
            push_field(out, b"Date", self.clock.http_date());
        }
        if let Some(length) = extra.length {
            push_field(out, b"Content-Length", Decimal::of(length).digits());
        }
        if let Some(content_type) = extra.content_type {
            push_field(out, b"Content-Type", content_type.as_bytes());
        }
        if let Some(connection) = extra.connection {
            push_field(out, b"Connection", connection.as_bytes());
        }
        if extra.chunked {
            push_field(out, b"Transfer-Encoding", b"chunked");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// What a handler's fields say that Go's server goes by; of equal names the first counts.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    length: Option<u64>,
    content_type: bool,
    content_encoding: bool,
    date: bool,
    connection: Connection,
    /// `Transfer-Encoding: identity`.
    identity: bool,
}

/// A handler's `Connection` field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Connection {
    #[default]
    None,
    Other,
    /// `close` is one of its options.
    WithClose,
    /// Exactly `close`.
    Close,
}

impl Given {
    fn of(response: &Response) -> Self {
        let mut given = Self::default();
        // Backwards, so that the first of equal names stays.
        for (name, value) in response.fields.iter().rev() {
            match &**name {
                "Content-Length" => given.length = value.parse().ok(),
                "Content-Type" => given.content_type = true,
                "Content-Encoding" => given.content_encoding = true,
                "Date" => given.date = true,
                "Connection" => given.connection = Connection::of(value),
                "Transfer-Encoding" => given.identity = value == "identity",
                _ => {}
            }
        }
        given
    }
}

impl Connection {
    fn of(value: &str) -> Self {
        if value == "close" {
            Self::Close
        } else if has_token(value, "close") {
            Self::WithClose
        } else {
            Self::Other
        }
    }
}

/// What Go adds behind a handler's fields, in this order.
#[derive(Debug, Default)]
struct Extra {
    date: bool,
    length: Option<u64>,
    content_type: Option<&'static str>,
    connection: Option<&'static str>,
    chunked: bool,
}

/// The status line Go would write.
pub(crate) fn push_status_line(out: &mut Vec<u8>, minor: u8, status: u16) {
    let version: &[u8] = if minor == 0 {
        b"HTTP/1.0 "
    } else {
        b"HTTP/1.1 "
    };
    out.extend_from_slice(version);
    let status_digits = Decimal::of(u64::from(status));
    out.extend_from_slice(status_digits.digits());
    match status_text(status) {
        Some(text) => {
            out.push(b' ');
            out.extend_from_slice(text.as_bytes());
        }
        None => {
            out.extend_from_slice(b" status code ");
            out.extend_from_slice(status_digits.digits());
        }
    }
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn push_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn remove(response: &mut Response, name: &str) {
    response.fields.retain(|(candidate, _)| candidate != name);
}

fn has_token(value: &str, token: &str) -> bool {
    value
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// More than most heads take, so that they are put together in place.
const USUAL_HEAD: usize = 1024;

/// Go's `bufferBeforeChunkingSize`.
const BUFFER: usize = 2048;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn writer(head: &str) -> ResponseWriter {
        let mut writer = ResponseWriter::default();
        writer.begin(&RequestHead::parse(Bytes::copy_from_slice(head.as_bytes())).unwrap());
        writer
    }

    fn response(status: u16) -> Response {
        Response::new(status).field("Date", "D")
    }

    fn out(writer: &ResponseWriter) -> &str {
        std::str::from_utf8(&writer.out).unwrap()
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn short_answers_have_a_length_behind_the_date() {
        let mut writer = writer(GET);
        writer.start(
            response(200)
                .field("B", "1")
                .field("A", "2")
                .field("Content-Type", "x"),
        );
        writer.write(b"hi");
        writer.finish();
        assert_eq!(
            out(&writer),
            "HTTP/1.1 200 OK\r\nA: 2\r\nB: 1\r\nContent-Type: x\r\nDate: D\r\nContent-Length: 2\r\n\r\nhi"
        );
        assert!(!writer.closes());
    }

    #[test]
    fn no_body_no_length() {
        let mut none = writer(GET);
        none.start(response(204));
        none.finish();
        assert_eq!(out(&none), "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n");
        let mut head = writer("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        head.start(response(200));
        head.finish();
        assert_eq!(out(&head), "HTTP/1.1 200 OK\r\nDate: D\r\n\r\n");
        let mut empty = writer(GET);
        empty.start(response(404));
        empty.finish();
        assert_eq!(
            out(&empty),
            "HTTP/1.1 404 Not Found\r\nDate: D\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn long_and_flushed_answers_are_chunked() {
        let mut long = writer(GET);
        long.start(response(200).field("Content-Type", "x"));
        long.write(&[b'y'; 2049]);
        long.finish();
        let text = out(&long);
        assert!(text.starts_with("HTTP/1.1 200 OK\r\nContent-Type: x\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n801\r\ny"));
        assert!(text.ends_with("y\r\n0\r\n\r\n"));
        let mut flushed = writer(GET);
        flushed.start(response(200).field("Content-Type", "x"));
        flushed.write(b"a");
        flushed.write(b"b");
        flushed.flush();
        assert!(out(&flushed).ends_with("chunked\r\n\r\n2\r\nab\r\n"));
    }

    #[test]
    fn connection_by_gos_rules() {
        let answer = |head: &str, response: Response| {
            let mut writer = writer(head);
            writer.start(response);
            writer.write(b"hi");
            writer.finish();
            (out(&writer).to_owned(), writer.closes())
        };
        let plain = || response(200).field("Content-Type", "x");
        let (text, closes) = answer(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            plain(),
        );
        assert!(text.contains("Content-Length: 2\r\nConnection: close\r\n\r\n") && closes);
        let (text, closes) = answer("GET / HTTP/1.0\r\n\r\n", plain());
        assert!(text.starts_with("HTTP/1.0 200 OK\r\n") && !text.contains("Connection") && closes);
        let (text, closes) = answer("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", plain());
        assert!(text.contains("Content-Length: 2\r\nConnection: keep-alive\r\n\r\n") && !closes);
        let (text, closes) = answer(GET, plain().field("Connection", "close"));
        assert!(
            text.contains(
                "\r\nConnection: close\r\nContent-Type: x\r\nDate: D\r\nContent-Length: 2\r\n\r\n"
            ) && closes
        );
    }

    #[test]
    fn declared_lengths_bind() {
        let mut long = writer(GET);
        long.start(response(200).field("Content-Length", "2"));
        long.write(b"abc");
        long.finish();
        assert!(out(&long).ends_with("\r\n\r\nab") && !long.closes());
        let mut short = writer(GET);
        short.start(response(200).field("Content-Length", "2"));
        short.write(b"a");
        short.finish();
        assert!(short.closes());
    }

    #[test]
    fn a_sniffed_type_comes_behind_the_length() {
        let mut sniffed = writer(GET);
        sniffed.start(response(200));
        sniffed.write(b"<html>");
        sniffed.finish();
        assert!(out(&sniffed).contains(
            "Date: D\r\nContent-Length: 6\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        ));
    }
}
