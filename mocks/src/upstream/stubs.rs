//! JSON stubs in wiremock's own types: a private `MockServer` is asked before the service.

use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wiremock::{Match, Mock, MockServer, ResponseTemplate};

use super::{After, Exchange, Request};
use crate::ledger::RawHead;
use crate::wire::http1::{AnswerDecoder, AnswerEvent, Asked, Response};

/// The stubs that were mounted on an upstream.
#[derive(Debug, Default)]
pub(crate) struct Stubs {
    server: OnceLock<MockServer>,
}

impl Stubs {
    pub(crate) fn are_mounted(&self) -> bool {
        self.server.get().is_some()
    }

    pub(crate) async fn mount(&self, stub: Mock) {
        let server = match self.server.get() {
            Some(server) => server,
            None => {
                let server = MockServer::start().await;
                // What no stub matches falls through: the lowest priority says so.
                let fall_through = Mock::given(Anything)
                    .respond_with(ResponseTemplate::new(200).insert_header(FALL_THROUGH, "1"))
                    .with_priority(u8::MAX);
                server.register(fall_through).await;
                self.server.get_or_init(|| server)
            }
        };
        server.register(stub).await;
    }

    /// Answers by a stub, if one matches; the request's body is read for it, and put back for the service.
    pub(crate) async fn answer(&self, request: &Request, exchange: &mut Exchange) -> Option<After> {
        let server = self.server.get()?;
        let body = exchange.read_body(BODY_LIMIT).await.ok()?;
        exchange.put_back(body.clone());
        // A stub server that cannot be asked is no reason not to serve.
        let (head, answer) = ask(server, request, &body).await?;
        if head.first(FALL_THROUGH).is_some() {
            return None;
        }
        let mut response = Response::new(status(&head)?).body(answer);
        for field in head.fields() {
            let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
            let name = text(&field.name);
            if !DROPPED
                .iter()
                .any(|dropped| name.eq_ignore_ascii_case(dropped))
            {
                response = response.field(name, text(&field.value));
            }
        }
        Some(exchange.respond(response).await)
    }
}

async fn ask(server: &MockServer, request: &Request, body: &[u8]) -> Option<(RawHead, Bytes)> {
    let mut stream = TcpStream::connect(server.address()).await.ok()?;
    stream.write_all(&forwarded(request, body)).await.ok()?;
    let mut decoder = AnswerDecoder::new(Asked::of(request.method()));
    let mut buffer = BytesMut::new();
    let mut head = None;
    let mut answer = BytesMut::new();
    loop {
        match decoder.decode(&mut buffer).ok()? {
            AnswerEvent::Head(found) => head = Some(found.raw),
            AnswerEvent::Data(data) => answer.extend_from_slice(&data),
            AnswerEvent::End(_) => return Some((head?, answer.freeze())),
            AnswerEvent::Interim(_) | AnswerEvent::ChunkEnd => {}
            AnswerEvent::More => {
                if stream.read_buf(&mut buffer).await.ok()? == 0 {
                    return Some((head?, answer.freeze()));
                }
            }
        }
    }
}

fn forwarded(request: &Request, body: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for part in [
        request.method().as_bytes(),
        b" ",
        request.target(),
        b" HTTP/1.1\r\n",
    ] {
        head.extend_from_slice(part);
    }
    for (name, value) in request.fields() {
        if !DROPPED
            .iter()
            .any(|dropped| name.eq_ignore_ascii_case(dropped.as_bytes()))
        {
            crate::wire::http1::push_field(&mut head, name, value);
        }
    }
    if request.first("host").is_none() {
        head.extend_from_slice(b"Host: \r\n");
    }
    head.extend_from_slice(
        format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    head.extend_from_slice(body);
    head
}

fn status(head: &RawHead) -> Option<u16> {
    head.target().parse().ok()
}

/// Matches every request.
struct Anything;

impl Match for Anything {
    fn matches(&self, _: &wiremock::Request) -> bool {
        true
    }
}

const FALL_THROUGH: &str = "X-Proxyproof-Fall-Through";

/// Fields that belong to one connection, or that this end writes itself.
const DROPPED: &[&str] = &[
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
    "date",
    "te",
    "trailer",
    "keep-alive",
];

/// What a stub may be asked with.
const BODY_LIMIT: u64 = 128 << 20;
