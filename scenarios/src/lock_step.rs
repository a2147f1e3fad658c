//! Streams in lock-step: the upstream writes each part only when the client has seen the one before.
//!
//! So a proxy that holds bytes back is found without measuring time: what it holds back never comes. The first part is
//! written with the head: only `streaming/head_before_first_event` asks for a head that comes before it.

use bytes::{BufMut, Bytes, BytesMut};
use proxyproof_harness::probe::{Connection, Exchange};
use proxyproof_harness::{Ask, Checks, Code, HarnessError, Patience, Request};
use proxyproof_mocks::{Gate, Script};

/// How the upstream frames its answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    /// `Transfer-Encoding: chunked`, a chunk a part.
    Chunked,
    /// `Content-Length` of all parts.
    Length,
    /// `Connection: close`, and the end of the connection.
    Close,
}

impl BodyFraming {
    /// In a reader's terms.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chunked => "a chunked answer",
            Self::Length => "an answer with Content-Length",
            Self::Close => "an answer that ends with its connection",
        }
    }
}

/// An answer whose parts are written one by one.
pub(crate) struct LockStep {
    request: Request,
    media_type: &'static str,
    framing: BodyFraming,
    parts: Vec<Bytes>,
    fields: Vec<(&'static str, &'static str)>,
}

impl LockStep {
    /// The answer to this request: three events, chunked.
    pub(crate) fn answer_to(request: Request) -> Self {
        let parts = EVENTS.map(Bytes::from_static);
        Self {
            request,
            media_type: "text/event-stream",
            framing: BodyFraming::Chunked,
            parts: parts.to_vec(),
            fields: Vec::new(),
        }
    }

    /// Other parts, each one write.
    pub(crate) fn parts(mut self, parts: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        self.parts = parts.into_iter().map(Into::into).collect();
        self
    }

    /// Another framing of the body.
    pub(crate) fn framing(mut self, framing: BodyFraming) -> Self {
        self.framing = framing;
        self
    }

    /// Another media type.
    pub(crate) fn media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// One more field in the answer's head.
    pub(crate) fn field(mut self, name: &'static str, value: &'static str) -> Self {
        self.fields.push((name, value));
        self
    }

    /// Plays it on a connection of its own; pushes `code` and stops where the client does not see what was written.
    pub(crate) async fn play(
        self,
        ask: &Ask<'_>,
        checks: &mut Checks,
        code: Code,
    ) -> Result<(), HarnessError> {
        let connection = ask.client().connect().await?;
        self.play_on(&connection, ask, checks, code).await
    }

    /// The same for a claim about more than events that come one by one: where those do not, it is skipped.
    pub(crate) async fn play_beyond_events(
        self,
        ask: &Ask<'_>,
        checks: &mut Checks,
        code: Code,
    ) -> Result<(), HarnessError> {
        let mut own = checks.beside();
        self.play(ask, &mut own, code).await?;
        if !own.findings().is_empty() {
            let mut ordinary = checks.beside();
            let events = Self::answer_to(streaming_request(ask));
            events.play(ask, &mut ordinary, code).await?;
            if !ordinary.findings().is_empty() {
                checks.skip("events do not come one by one: streaming/one_event_at_a_time");
                return Ok(());
            }
        }
        checks.absorb(own);
        Ok(())
    }

    /// The same on a given connection.
    pub(crate) async fn play_on(
        self,
        connection: &Connection,
        ask: &Ask<'_>,
        checks: &mut Checks,
        code: Code,
    ) -> Result<(), HarnessError> {
        let gate = Gate::new();
        let mut exchange = self.opened_on(connection, ask, &gate).await?;
        for part in &self.parts {
            gate.open(1);
            if !checks.comes_next(ask, &mut exchange, part, code).await {
                return Ok(());
            }
        }
        gate.open(1);
        checks.ends_whole(ask, &mut exchange, code).await;
        Ok(())
    }

    /// Writes nothing but the head, on a connection of its own; pushes `code` where the client does not see it.
    pub(crate) async fn play_head(
        self,
        ask: &Ask<'_>,
        checks: &mut Checks,
        code: Code,
    ) -> Result<(), HarnessError> {
        let connection = ask.client().connect().await?;
        let gate = Gate::new();
        let mut exchange = self.opened_on(&connection, ask, &gate).await?;
        checks.head_comes(ask, &mut exchange, code).await;
        gate.open(self.parts.len() + 1);
        Ok(())
    }

    async fn opened_on(
        &self,
        connection: &Connection,
        ask: &Ask<'_>,
        gate: &Gate,
    ) -> Result<Exchange, HarnessError> {
        ask.script(&self.request, self.script(gate));
        let exchange = connection.open(&self.request).await?;
        Ok(exchange.patience(Patience::LOCK_STEP))
    }

    fn script(&self, gate: &Gate) -> Script {
        let length = self.parts.iter().map(Bytes::len).sum::<usize>().to_string();
        let framing = match self.framing {
            BodyFraming::Chunked => ("Transfer-Encoding", "chunked"),
            BodyFraming::Length => ("Content-Length", length.as_str()),
            BodyFraming::Close => ("Connection", "close"),
        };
        let mut fields = vec![
            ("Content-Type", self.media_type),
            ("Cache-Control", "no-cache"),
            framing,
        ];
        fields.extend_from_slice(&self.fields);
        let begun = Script::new().read_body().head(200, &fields);
        let written = self
            .parts
            .iter()
            .fold(begun, |script, part| match self.framing {
                BodyFraming::Chunked => script.gate(gate).chunk(part.clone()),
                BodyFraming::Length | BodyFraming::Close => script.gate(gate).bytes(part.clone()),
            });
        match self.framing {
            BodyFraming::Chunked => written.gate(gate).last_chunk(),
            BodyFraming::Length => written,
            BodyFraming::Close => written.gate(gate).fin(),
        }
    }
}

/// A request for a stream, as Codex asks for it.
pub(crate) fn streaming_request(ask: &Ask<'_>) -> Request {
    let body = Bytes::from_static(b"{\"model\":\"gpt-5-codex\",\"stream\":true,\"input\":\"hi\"}");
    let request = ask.completion().header("Content-Type", "application/json");
    request.header("Accept", "text/event-stream").body(body)
}

/// One event whose data is `length` bytes.
pub(crate) fn event_of(length: usize) -> Bytes {
    let mut event = BytesMut::with_capacity(length + 8);
    event.put_slice(b"data: ");
    event.put_bytes(b'x', length);
    event.put_slice(b"\n\n");
    event.freeze()
}

/// Small ones: less than any buffer.
const EVENTS: [&[u8]; 3] = [
    b"data: {\"n\":0}\n\n",
    b"data: {\"n\":1}\n\n",
    b"data: {\"n\":2}\n\n",
];
