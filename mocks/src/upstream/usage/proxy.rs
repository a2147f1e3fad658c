//! The reverse proxy to CPA, as Go's `httputil.NewSingleHostReverseProxy` over its default transport.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::error;
use super::client::{DIAL_TIMEOUT, connect, malformed};
use super::dial::broken;
use super::service::with;
use super::setup::Setup;
use super::tunnel::tunnel;
use crate::ledger::Framing;
use crate::upstream::{After, Exchange, Request};
use crate::wire::http1::{
    AnswerDecoder, AnswerEnd, AnswerEvent, AnswerFraming, AnswerHead, Asked, Response, chunk,
};

/// Whose key goes to CPA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// The saved management key, in place of the caller's.
    Saved,
    /// What the caller sent.
    Callers,
}

type Field = (Cow<'static, str>, Cow<'static, str>);

/// Forwards one request and relays its answer, behind the service's own cross-origin fields.
pub(super) async fn forward(
    setup: &Setup,
    credentials: Credentials,
    own: Vec<Field>,
    request: &Request,
    exchange: &mut Exchange,
) -> After {
    let head = request_head(setup, credentials, request);
    let gone = exchange.client_gone();
    tokio::pin!(gone);
    if hops(request) >= LOOP_LIMIT {
        // The service has been pointed at itself: the real one would go on until nothing is left to go on with. Its
        // caller gets no byte either way.
        gone.await;
        return After::Close;
    }
    let started = start(setup, &head, request, exchange);
    let reached = tokio::select! {
        reached = started => reached,
        () = &mut gone => return After::Close,
    };
    match reached {
        Ok((upstream, answer)) if answer.status == 101 => {
            switch(upstream, &answer, own, exchange).await
        }
        Ok((upstream, answer)) => relay(upstream, answer, own, exchange, gone).await,
        Err(reason) => exchange.respond(with(own, error(502, &reason))).await,
    }
}

/// A connection to CPA with what was read of the answer.
struct Upstream {
    stream: TcpStream,
    buffer: BytesMut,
    decoder: AnswerDecoder,
    framing: AnswerFraming,
}

/// Sends the request, and reads the answer's head.
async fn start(
    setup: &Setup,
    head: &str,
    request: &Request,
    exchange: &mut Exchange,
) -> Result<(Upstream, AnswerHead), String> {
    let stream = connect(&setup.base_url, DIAL_TIMEOUT).await?;
    let decoder = AnswerDecoder::new(Asked::of(request.method()));
    let mut upstream = Upstream {
        stream,
        buffer: BytesMut::new(),
        decoder,
        framing: AnswerFraming::None,
    };
    upstream.write(head.as_bytes()).await?;
    let chunked = request.framing() == Framing::Chunked;
    let mut sending = request.framing() != Framing::None;
    while sending {
        // An answer that comes before the body is whole ends the sending, as in Go.
        tokio::select! {
            biased;
            piece = exchange.read_piece() => match piece.map_err(|reason| reason.to_string())? {
                Some(piece) if chunked => upstream.write(&chunk(&piece)).await?,
                Some(piece) => upstream.write(&piece).await?,
                None => sending = false,
            },
            read = upstream.stream.read_buf(&mut upstream.buffer) => {
                if matches!(read, Ok(0)) { return Err("EOF".to_owned()); }
                read.map_err(|reason| broken(&upstream.stream, "read", &reason))?;
                sending = false;
            }
        }
    }
    if chunked && upstream.buffer.is_empty() {
        upstream.write(b"0\r\n\r\n").await?;
    }
    loop {
        match upstream.next().await? {
            AnswerEvent::Head(answer) => {
                upstream.framing = answer.framing;
                return Ok((upstream, answer));
            }
            AnswerEvent::Interim(_) => {}
            _ => return Err("EOF".to_owned()),
        }
    }
}

impl Upstream {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.stream.write_all(bytes).await;
        written.map_err(|reason| broken(&self.stream, "write", &reason))
    }

    /// The next event, never [`AnswerEvent::More`].
    async fn next(&mut self) -> Result<AnswerEvent, String> {
        loop {
            match self
                .decoder
                .decode(&mut self.buffer)
                .map_err(|_| malformed(&self.buffer))?
            {
                AnswerEvent::More => {}
                event => return Ok(event),
            }
            self.buffer.reserve(COPY_BUFFER);
            let read = self.stream.read_buf(&mut self.buffer).await;
            if read.map_err(|reason| broken(&self.stream, "read", &reason))? == 0 {
                return match self.decoder.end_of_connection(&self.buffer) {
                    AnswerEnd::Complete => Ok(AnswerEvent::End(Vec::new())),
                    AnswerEnd::BeforeHead => Err("EOF".to_owned()),
                    AnswerEnd::WithinHead | AnswerEnd::Truncated => {
                        Err("unexpected EOF".to_owned())
                    }
                };
            }
        }
    }

    /// The next piece of the body as Go's reader gives it: a chunk is never divided but by the buffer's size, and goes
    /// together with the next one whose size is there already; `None` at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, String> {
        let mut piece = BytesMut::new();
        loop {
            let whole = match self.next().await? {
                AnswerEvent::Data(data) => {
                    piece.extend_from_slice(&data);
                    self.framing != AnswerFraming::Chunked
                }
                AnswerEvent::ChunkEnd => !piece.is_empty() && !self.buffer.contains(&b'\n'),
                AnswerEvent::End(_) if piece.is_empty() => return Ok(None),
                AnswerEvent::End(_) => return Ok(Some(piece.freeze())),
                _ => false,
            };
            if whole || piece.len() >= COPY_BUFFER {
                return Ok(Some(piece.freeze()));
            }
        }
    }
}

async fn relay(
    mut upstream: Upstream,
    answer: AnswerHead,
    own: Vec<Field>,
    exchange: &mut Exchange,
    mut gone: impl Future<Output = ()> + Unpin,
) -> After {
    let event_stream = answer
        .raw
        .first("Content-Type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    // What has no length is passed on as it comes.
    let flushed = event_stream
        || !matches!(
            answer.framing,
            AnswerFraming::Length(_) | AnswerFraming::None
        );
    if exchange.start(with(own, response(&answer))).await.is_err() {
        return After::Close;
    }
    if flushed && exchange.flush().await.is_err() {
        return After::Close;
    }
    loop {
        let piece = tokio::select! {
            piece = upstream.piece() => piece,
            () = &mut gone => return After::Close,
        };
        let written = match piece {
            Ok(Some(piece)) => exchange.write(&piece).await,
            Ok(None) => return After::Answered,
            // Go aborts the connection: the client must not take it for the end.
            Err(_) => return After::Close,
        };
        if written.is_err() || (flushed && exchange.flush().await.is_err()) {
            return After::Close;
        }
    }
}

/// Hands the connection over to another protocol; the head's fields are sorted, those for one hop among them.
async fn switch(
    upstream: Upstream,
    answer: &AnswerHead,
    own: Vec<Field>,
    exchange: &mut Exchange,
) -> After {
    let mut response = with(own, Response::new(answer.status));
    for (name, value) in received_fields(answer) {
        response = response.field(canonical(&name), value);
    }
    response.fields.sort_by(|one, other| one.0.cmp(&other.0));
    if exchange.upgrade(response).await.is_ok() {
        tunnel(&exchange.socket, upstream.stream, upstream.buffer).await;
    }
    After::Close
}

fn received_fields(answer: &AnswerHead) -> Vec<(String, String)> {
    let fields = answer.raw.fields().into_iter();
    fields
        .map(|field| (lossy(&field.name), lossy(field.value.trim_ascii())))
        .collect()
}

/// The answer's status and fields, without those that are for one hop only.
fn response(answer: &AnswerHead) -> Response {
    let mut response = Response::new(answer.status);
    for (name, value) in end_to_end(received_fields(answer)) {
        response = response.field(canonical(&name), value);
    }
    response
}

/// The request's head as Go's transport writes it.
fn request_head(setup: &Setup, credentials: Credentials, request: &Request) -> String {
    let base = &setup.base_url;
    let mut target = join(base.path(), &request.raw_path());
    if !request.query().is_empty() {
        target.push('?');
        target.push_str(&request.query());
    }
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nHost: {}\r\n",
        request.method(),
        base.authority()
    );
    let mut fields = outgoing_fields(setup, credentials, request);
    if let Some(at) = fields.iter().position(|(name, _)| name == "User-Agent") {
        push(&mut head, "User-Agent", &fields.remove(at).1);
    }
    match request.framing() {
        Framing::None if matches!(request.method(), "POST" | "PUT" | "PATCH") => {
            push(&mut head, "Content-Length", "0")
        }
        Framing::None => {}
        Framing::Length(length) => push(&mut head, "Content-Length", &length.to_string()),
        Framing::Chunked => push(&mut head, "Transfer-Encoding", "chunked"),
    }
    let plain = !fields
        .iter()
        .any(|(name, _)| name == "Accept-Encoding" || name == "Range");
    for (name, value) in &fields {
        push(&mut head, name, value);
    }
    if plain && request.method() != "HEAD" {
        push(&mut head, "Accept-Encoding", "gzip");
    }
    head.push_str("\r\n");
    head
}

fn outgoing_fields(
    setup: &Setup,
    credentials: Credentials,
    request: &Request,
) -> Vec<(String, String)> {
    let received = request
        .fields()
        .map(|(name, value)| (canonical(&lossy(name)), lossy(value)))
        .collect();
    let mut fields = end_to_end(received);
    fields.retain(|(name, _)| {
        !matches!(name.as_str(), "Host" | "Content-Length" | "X-Forwarded-For")
    });
    let mut forwarded: Vec<String> = request
        .all("X-Forwarded-For")
        .into_iter()
        .map(Cow::into_owned)
        .collect();
    forwarded.push(request.peer().ip().to_canonical().to_string());
    fields.push(("X-Forwarded-For".to_owned(), forwarded.join(", ")));
    if request.has_token("TE", "trailers") {
        fields.push(("Te".to_owned(), "trailers".to_owned()));
    }
    if request.has_token("Connection", "upgrade")
        && let Some(protocol) = request.first("Upgrade")
    {
        fields.push(("Connection".to_owned(), "Upgrade".to_owned()));
        fields.push(("Upgrade".to_owned(), protocol.into_owned()));
    }
    if credentials == Credentials::Saved {
        fields.retain(|(name, _)| name != "Authorization");
        fields.push((
            "Authorization".to_owned(),
            format!("Bearer {}", setup.management_key),
        ));
    }
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}

/// Drops the fields that are for one hop only, those that `Connection` names among them.
fn end_to_end(fields: Vec<(String, String)>) -> Vec<(String, String)> {
    let named: Vec<String> = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| {
            value
                .split(',')
                .map(|token| token.trim().to_ascii_lowercase())
        })
        .collect();
    let for_one_hop = |name: &str| {
        let name = name.to_ascii_lowercase();
        HOP_BY_HOP.contains(&name.as_str()) || named.contains(&name)
    };
    fields
        .into_iter()
        .filter(|(name, _)| !for_one_hop(name))
        .collect()
}

/// How many times the request has been forwarded, by its own account.
fn hops(request: &Request) -> usize {
    request
        .all("X-Forwarded-For")
        .iter()
        .map(|value| value.split(',').count())
        .sum()
}

fn push(head: &mut String, name: &str, value: &str) {
    head.push_str(&format!("{name}: {value}\r\n"));
}

/// Go's `singleJoiningSlash`.
fn join(base: &str, path: &str) -> String {
    match (base.ends_with('/'), path.starts_with('/')) {
        (true, true) => format!("{base}{}", &path[1..]),
        (false, false) => format!("{base}/{path}"),
        _ => format!("{base}{path}"),
    }
}

/// Go's canonical case of a field name.
fn canonical(name: &str) -> String {
    let mut upper = true;
    let each = |byte: char| {
        let cased = if upper {
            byte.to_ascii_uppercase()
        } else {
            byte.to_ascii_lowercase()
        };
        upper = byte == '-';
        cased
    };
    name.chars().map(each).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Of Go's copy buffer.
const COPY_BUFFER: usize = 32 << 10;
/// No honest chain is that long.
const LOOP_LIMIT: usize = 32;
