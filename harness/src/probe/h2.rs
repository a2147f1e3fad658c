//! HTTP/2 exchanges, on the `h2` library: flow control, resets and GOAWAY as they happen.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, RecvStream, SendStream};
use http::{HeaderMap, Response, StatusCode};
use proxyproof_mocks::Moment;
use proxyproof_mocks::ledger::{Field, RawHead};
use tokio::sync::{Mutex, watch};

use super::answer::{Delimited, End, Ending, Head, Informational, Piece, ResetBy};
use super::departure::Departure;
use super::error::ProbeError;
use super::exchange::{Begun, Exchange, Ground, silent};
use super::h1::Leftover;
use super::h2_message::message;
use super::hand::{Hand, Incoming};
use super::outlet::{H2Outlet, Outlet};
use super::request::{Continuation, Payload, Request};
use super::sent::{Meter, Sent};
use super::stream::Stream;
use super::task::Task;
use super::upload::UploadState;
use crate::patience::Patience;

/// The client's end of an HTTP/2 connection.
#[derive(Debug)]
pub(crate) struct H2Link {
    send: SendRequest<Bytes>,
    pings: Arc<Mutex<Option<PingPong>>>,
    driver: Arc<Task<()>>,
    ended: Ended,
}

/// How an HTTP/2 connection ended.
#[derive(Clone, Debug)]
pub(crate) struct LinkEnd {
    pub(crate) at: Moment,
    /// Who broke it off; `None` for an orderly end, with or without a GOAWAY that says so.
    pub(crate) by: Option<ResetBy>,
}

type Ended = watch::Receiver<Option<LinkEnd>>;

impl H2Link {
    /// Sends preface and SETTINGS, and goes on serving the connection in a task.
    pub(crate) async fn over(stream: Stream) -> Result<Self, ProbeError> {
        let mut builder = h2::client::Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false);
        let shaken = builder.handshake(stream).await;
        let (send, mut connection) = shaken.map_err(|error| failure(&error))?;
        let pings = Arc::new(Mutex::new(connection.ping_pong()));
        let (tell, ended) = watch::channel(None);
        let driver = Task::spawn(async move {
            let ended = connection.await;
            let by = |error| reset_by(&error).unwrap_or(ResetBy::Connection { code: None });
            tell.send_replace(Some(LinkEnd {
                at: Moment::now(),
                by: ended.err().map(by),
            }));
        });
        Ok(Self {
            send,
            pings,
            driver: Arc::new(driver),
            ended,
        })
    }

    /// Waits until the peer has ended the connection.
    pub(crate) async fn ended(&self) -> LinkEnd {
        end_of(&mut self.ended.clone()).await
    }

    pub(crate) fn is_open(&self) -> bool {
        self.ended.borrow().is_none() && !self.driver.is_finished()
    }

    /// Sends a request; `sent` has everything but the head's time.
    pub(crate) async fn open(&self, request: &Request, sent: Sent) -> Result<Exchange, ProbeError> {
        let message = message(request)?;
        let body = request.payload() != &Payload::None;
        let mut send = self.ready().await?;
        let sent = Sent {
            head: request.h2_head(),
            at: Moment::now(),
            ..sent
        };
        let begun = send.send_request(message, !body);
        let (response, stream) = begun.map_err(|error| failure(&error))?;
        let meter = Meter::default();
        let outlet = Outlet::H2(H2Outlet::new(stream, meter.clone()));
        let upload = upload(request, outlet, &meter);
        let (hand, incoming, reading) = Hand::pair();
        let reader = Task::spawn(read_answer(response, hand, self.ended.clone()));
        let ground = Ground::H2 {
            driver: Arc::clone(&self.driver),
        };
        let begun = Begun {
            sent,
            meter,
            upload,
            incoming,
            reading,
            reader,
            ground,
        };
        Ok(Exchange::new(begun, None))
    }

    /// Sends an extended CONNECT (RFC 8441); gives the answer's head and the tunnel's two directions.
    pub(crate) async fn connect(
        &self,
        request: &Request,
        protocol: &'static str,
    ) -> Result<(Response<RecvStream>, SendStream<Bytes>), ProbeError> {
        let mut send = self.ready().await?;
        self.settings_are_known().await?;
        if !send.is_extended_connect_protocol_enabled() {
            return Err(ProbeError::Unsendable {
                reason: "the peer did not send SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441)"
                    .to_owned(),
            });
        }
        let mut message = message(request)?;
        *message.method_mut() = http::Method::CONNECT;
        message
            .extensions_mut()
            .insert(h2::ext::Protocol::from_static(protocol));
        let begun = send.send_request(message, false);
        let (response, stream) = begun.map_err(|error| failure(&error))?;
        let answered = Patience::ANSWER.within("the answer to CONNECT", response);
        let response = answered
            .await
            .map_err(|ran_out| silent(ran_out, "the request was sent"))?;
        Ok((response.map_err(|error| failure(&error))?, stream))
    }

    pub(crate) fn driver(&self) -> Arc<Task<()>> {
        Arc::clone(&self.driver)
    }

    async fn ready(&self) -> Result<SendRequest<Bytes>, ProbeError> {
        let ready = Patience::ANSWER.within("a free stream", self.send.clone().ready());
        let ready = ready
            .await
            .map_err(|ran_out| silent(ran_out, "the connection is open"))?;
        ready.map_err(|error| failure(&error))
    }

    /// A PONG comes behind the peer's SETTINGS, which are its first frame (RFC 9113 section 3.4).
    async fn settings_are_known(&self) -> Result<(), ProbeError> {
        let mut pings = self.pings.lock().await;
        let Some(pings) = pings.as_mut() else {
            return Ok(());
        };
        let pong = Patience::ANSWER.within("a PONG", pings.ping(Ping::opaque()));
        let pong = pong
            .await
            .map_err(|ran_out| silent(ran_out, "PING was sent"))?;
        pong.map(|_| ()).map_err(|error| failure(&error))
    }
}

async fn end_of(ended: &mut Ended) -> LinkEnd {
    let end = ended.wait_for(Option::is_some).await;
    let end = end.ok().and_then(|end| end.clone());
    // The driver can only be gone without a word when the runtime shuts down.
    end.unwrap_or_else(|| LinkEnd {
        at: Moment::now(),
        by: Some(ResetBy::Connection { code: None }),
    })
}

/// A stream whose connection ended does not know about the GOAWAY before; the connection does.
async fn with_go_away(by: ResetBy, ended: &mut Ended) -> ResetBy {
    if by != (ResetBy::Connection { code: None }) {
        return by;
    }
    let end = Patience::QUIET.within("the end of the connection", end_of(ended));
    match end.await {
        Ok(LinkEnd { by: Some(by), .. }) => by,
        _ => by,
    }
}

fn upload(request: &Request, outlet: Outlet, meter: &Meter) -> UploadState {
    let trailers = request.h2_trailers();
    match (request.payload().clone(), request.continuation()) {
        (Payload::None, _) => UploadState::Done(Some(outlet)),
        (Payload::Streamed | Payload::StreamedLength(_), _) => {
            meter.open();
            UploadState::Streamed(outlet, trailers)
        }
        (payload, Continuation::Awaited) => UploadState::Withheld(outlet, payload, trailers),
        (payload, Continuation::Unasked) => {
            meter.open();
            UploadState::sending(outlet, payload, trailers)
        }
    }
}

async fn read_answer(
    mut response: ResponseFuture,
    mut hand: Hand,
    mut ended: Ended,
) -> Option<Leftover> {
    let response = loop {
        match hand.while_on(|cx| poll_head(&mut response, cx)).await? {
            HeadEvent::Informational(head) => {
                let head = Informational {
                    status: head.status().as_u16(),
                    head: raw_head(head.status(), head.headers()),
                    at: Moment::now(),
                };
                hand.over(Incoming::Informational(head)).await;
            }
            HeadEvent::Final(Ok(response)) => break response,
            HeadEvent::Final(Err(error)) => {
                let mut failure = failure(&error);
                if let ProbeError::Reset { by } = &mut failure {
                    *by = with_go_away(*by, &mut ended).await;
                }
                hand.over(Incoming::Failed(failure)).await;
                return None;
            }
        }
    };
    let (parts, mut body) = response.into_parts();
    let head = Head {
        status: parts.status.as_u16(),
        raw: raw_head(parts.status, &parts.headers),
        delimited: if body.is_end_stream() {
            Delimited::NoBody
        } else {
            Delimited::EndStream
        },
        at: Moment::now(),
    };
    hand.over(Incoming::Head(head)).await;
    let mut chunk = 0;
    while let Some(data) = hand.while_on(|cx| body.poll_data(cx)).await? {
        match data {
            Ok(bytes) => {
                let piece = Piece {
                    at: Moment::now(),
                    bytes,
                    chunk,
                };
                chunk += 1;
                // Only a stream that was reset meanwhile refuses, and its error is read next.
                let _ = body.flow_control().release_capacity(piece.bytes.len());
                if !hand.over(Incoming::Piece(piece)).await {
                    return None;
                }
            }
            Err(error) => {
                let at = Moment::now();
                let mut ended_by = ending(&error);
                if let Ending::Reset(by) = &mut ended_by {
                    *by = with_go_away(*by, &mut ended).await;
                }
                hand.end(End {
                    ended: ended_by,
                    trailers: Vec::new(),
                    at,
                })
                .await;
                return None;
            }
        }
    }
    let end = match hand.while_on(|cx| body.poll_trailers(cx)).await? {
        Ok(trailers) => End::now(
            Ending::Complete,
            trailers.as_ref().map(fields).unwrap_or_default(),
        ),
        Err(error) => End::now(ending(&error), Vec::new()),
    };
    hand.end(end).await;
    None
}

enum HeadEvent {
    Informational(Response<()>),
    Final(Result<Response<RecvStream>, h2::Error>),
}

fn poll_head(response: &mut ResponseFuture, cx: &mut std::task::Context<'_>) -> Poll<HeadEvent> {
    match response.poll_informational(cx) {
        Poll::Ready(Some(Ok(head))) => return Poll::Ready(HeadEvent::Informational(head)),
        Poll::Ready(Some(Err(error))) => return Poll::Ready(HeadEvent::Final(Err(error))),
        Poll::Ready(None) | Poll::Pending => {}
    }
    Pin::new(response).poll(cx).map(HeadEvent::Final)
}

/// The head as a report shows it.
pub(crate) fn raw_head(status: StatusCode, headers: &HeaderMap) -> RawHead {
    let mut head = BytesMut::from(&b"HTTP/2 "[..]);
    head.put_slice(status.as_str().as_bytes());
    head.put_slice(b"\r\n");
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.put_slice(part);
        }
    }
    head.put_slice(b"\r\n");
    RawHead::new(head.freeze())
}

fn fields(headers: &HeaderMap) -> Vec<Field> {
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| Field {
        name: Bytes::copy_from_slice(name.as_str().as_bytes()),
        value: Bytes::copy_from_slice(value.as_bytes()),
    };
    headers.iter().map(field).collect()
}

/// Who reset what, as far as the peer did.
fn reset_by(error: &h2::Error) -> Option<ResetBy> {
    if let Some(io) = error.get_io() {
        return Some(match Departure::of(io) {
            Some(Departure::Reset) if io.kind() == std::io::ErrorKind::ConnectionReset => {
                ResetBy::Tcp
            }
            _ => ResetBy::Connection { code: None },
        });
    }
    if !error.is_remote() {
        return None;
    }
    let code = error.reason().map(u32::from);
    match (error.is_reset(), code) {
        (true, Some(code)) => Some(ResetBy::Stream { code }),
        (_, code) => Some(ResetBy::Connection { code }),
    }
}

fn ending(error: &h2::Error) -> Ending {
    match reset_by(error) {
        Some(by) => Ending::Reset(by),
        None => Ending::Malformed {
            reason: error.to_string(),
        },
    }
}

pub(crate) fn failure(error: &h2::Error) -> ProbeError {
    match reset_by(error) {
        Some(by) => ProbeError::Reset { by },
        None => ProbeError::Malformed {
            reason: error.to_string(),
            received: Bytes::new(),
        },
    }
}

/// Reads from a tunnel's incoming direction and gives the window back.
pub(crate) async fn read_data(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    let data = poll_fn(|cx| body.poll_data(cx)).await;
    if let Some(Ok(bytes)) = &data {
        // Only a stream that was reset meanwhile refuses, and its error is read next.
        let _ = body.flow_control().release_capacity(bytes.len());
    }
    data
}

/// What a probe that does not read lets come: small against the 16 MiB that a buffering candidate takes in.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
