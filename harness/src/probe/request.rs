//! What a probe asks: [`Request`].

use bytes::Bytes;
use proxyproof_mocks::ProbeId;
use proxyproof_mocks::ledger::Field;

/// One request, independent of the protocol version until it is sent.
///
/// Fields are written in the order they were added, behind `Host` and the probe id; in HTTP/1 in the case they were
/// given in. Nothing is checked: what a protocol can't carry is [`super::ProbeError::Unsendable`] there.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `exchange`, `send`, or `open`"]
pub struct Request {
    pub(super) method: Bytes,
    pub(super) target: Bytes,
    pub(super) host: Option<Bytes>,
    pub(super) probe: ProbeId,
    pub(super) tagging: Tagging,
    pub(super) fields: Vec<Field>,
    pub(super) payload: Payload,
    pub(super) trailers: Vec<Field>,
    pub(super) continuation: Continuation,
}

/// Whether a request carries its probe id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagging {
    Tagged,
    Untagged,
}

/// Whether the body waits for `100 Continue` (RFC 9110 section 10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Continuation {
    /// The body is sent at once.
    Unasked,
    /// `Expect: 100-continue`, and the body follows the permission.
    Awaited,
}

/// The body of a request, and its framing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// No body, and no framing field but the `Content-Length: 0` of an HTTP/1 request whose method can have one.
    None,
    /// `Content-Length`, all at once.
    Length(Bytes),
    /// These chunks (HTTP/1) or DATA frames without `content-length` (HTTP/2).
    Chunked(Vec<Bytes>),
    /// `Content-Length` of this many bytes, written through the exchange.
    StreamedLength(u64),
    /// Chunked (HTTP/1) or without `content-length` (HTTP/2), written through the exchange.
    Streamed,
}

impl Request {
    /// A request for a deployment's host, under a fresh probe id.
    pub fn new(method: impl Into<Bytes>, target: impl Into<Bytes>, host: impl Into<Bytes>) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            host: Some(host.into()),
            probe: ProbeId::fresh(),
            tagging: Tagging::Tagged,
            fields: Vec::new(),
            payload: Payload::None,
            trailers: Vec::new(),
            continuation: Continuation::Unasked,
        }
    }

    /// Adds a field behind those there are; a name given twice is sent twice.
    pub fn header(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.fields.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Another `Host` (HTTP/1) and `:authority` (HTTP/2).
    pub fn host(mut self, host: impl Into<Bytes>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Neither `Host` nor `:authority`; one added by [`Request::header`] is sent as a plain field.
    pub fn without_host(mut self) -> Self {
        self.host = None;
        self
    }

    /// Another probe id: for a request that shares a script with one before.
    pub fn probe(mut self, probe: ProbeId) -> Self {
        self.probe = probe;
        self
    }

    /// No probe id in the request: it arrives, but no ledger finds it by its id.
    pub fn untagged(mut self) -> Self {
        self.tagging = Tagging::Untagged;
        self
    }

    /// A body with `Content-Length`.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::Length(body.into());
        self
    }

    /// A body that says it is JSON, with `Content-Length`.
    pub fn json(self, body: &serde_json::Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string())
    }

    /// The body set by [`Request::body`] as one chunk; no body yet means one written through the exchange.
    pub fn chunked(mut self) -> Self {
        self.payload = match self.payload {
            Payload::Length(body) => Payload::Chunked(vec![body]),
            Payload::None | Payload::StreamedLength(_) => Payload::Streamed,
            chunked => chunked,
        };
        self
    }

    /// A body in these chunks.
    pub fn chunks<Chunk: Into<Bytes>>(mut self, chunks: impl IntoIterator<Item = Chunk>) -> Self {
        self.payload = Payload::Chunked(chunks.into_iter().map(Into::into).collect());
        self
    }

    /// A body with this `Content-Length`, written through [`super::Exchange::write`].
    pub fn streamed_length(mut self, length: u64) -> Self {
        self.payload = Payload::StreamedLength(length);
        self
    }

    /// A body without a length beforehand, written through [`super::Exchange::write`].
    pub fn streamed(mut self) -> Self {
        self.payload = Payload::Streamed;
        self
    }

    /// A trailer field behind a body without a length; it is announced in `Trailer`.
    pub fn trailer(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.trailers.push(Field {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// `Expect: 100-continue`: the body is only sent once the answer says `100`, never after a final answer.
    pub fn expect_continue(mut self) -> Self {
        self.continuation = Continuation::Awaited;
        self
    }

    /// Asks for a WebSocket: the fields of RFC 6455 section 4.1 behind those there are, in their usual order.
    ///
    /// In HTTP/2 it becomes an extended CONNECT (RFC 8441 section 5) without those that HTTP/2 has no use for.
    pub fn websocket(self) -> Self {
        self.header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Version", "13")
            .header(WEBSOCKET_KEY, SAMPLE_KEY)
    }

    /// The same request as an extended CONNECT carries it; the library adds `:protocol`.
    pub(crate) fn extended_connect(mut self) -> Self {
        self.method = Bytes::from_static(b"CONNECT");
        self.fields.retain(|field| {
            let dropped = ["upgrade", "connection", "sec-websocket-key"];
            !dropped
                .iter()
                .any(|name| field.name.eq_ignore_ascii_case(name.as_bytes()))
        });
        self
    }

    /// The probe id.
    #[must_use]
    pub fn probe_id(&self) -> ProbeId {
        self.probe
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Bytes {
        &self.method
    }

    /// The target, raw.
    #[must_use]
    pub fn target(&self) -> &Bytes {
        &self.target
    }

    /// The host, if one is sent.
    #[must_use]
    pub fn host_name(&self) -> Option<&Bytes> {
        self.host.as_ref()
    }

    /// The body and its framing.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    pub(crate) fn trailers(&self) -> &[Field] {
        &self.trailers
    }

    pub(crate) fn continuation(&self) -> Continuation {
        self.continuation
    }
}

/// The field that the accept value is computed from (RFC 6455 section 4.2.2).
pub(crate) const WEBSOCKET_KEY: &str = "Sec-WebSocket-Key";

/// Sixteen bytes in base64, as the field wants; RFC 6455 section 1.3 uses the same.
const SAMPLE_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
