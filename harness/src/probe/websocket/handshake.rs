//! The opening handshake (RFC 6455 section 4, RFC 8441 section 5): [`Handshake`].

use bytes::{Bytes, BytesMut};
use proxyproof_mocks::Moment;
use proxyproof_mocks::wire::websocket::accept_key;

use super::frame_probe::FrameProbe;
use super::message_probe::WebSocketProbe;
use super::tunnel::{H2Tunnel, Tunnel};
use crate::patience::Patience;
use crate::probe::answer::{Answer, Delimited, End, Ending, Growing, Head, Piece};
use crate::probe::client::{Client, Way};
use crate::probe::error::ProbeError;
use crate::probe::exchange::silent;
use crate::probe::h2::{H2Link, raw_head, read_data};
use crate::probe::raw::RawConnection;
use crate::probe::request::{Request, WEBSOCKET_KEY};
use crate::probe::sent::{Sent, SentBody};
use crate::protocol::Protocol;

/// An answered opening handshake, accepted or refused.
#[derive(Debug)]
pub struct Handshake {
    sent: Sent,
    answer: Answer,
    opened: Option<Opened>,
}

/// A connection whose protocol was switched, and what came behind the answer's head already.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) tunnel: Tunnel,
    pub(super) early: BytesMut,
}

impl Client {
    /// Asks for a WebSocket with a request made by [`Request::websocket`], on a connection of its own.
    ///
    /// # Errors
    /// As [`Client::connect`] and [`super::super::Exchange::head`]; a refusal is a [`Handshake`] too. In HTTP/2 a peer
    /// without SETTINGS_ENABLE_CONNECT_PROTOCOL is [`ProbeError::Unsendable`].
    pub async fn websocket(&self, request: &Request) -> Result<Handshake, ProbeError> {
        self.websocket_with(request, Bytes::new()).await
    }

    /// The same, with bytes behind the request in the same segment, before anybody has accepted; HTTP/1 only.
    ///
    /// # Errors
    /// As [`Client::websocket`].
    pub async fn websocket_with(
        &self,
        request: &Request,
        early: Bytes,
    ) -> Result<Handshake, ProbeError> {
        let protocol = self.entrance().protocol;
        let way = self.checked_way().await?;
        match protocol.listener() {
            Protocol::H2 if early.is_empty() => over_h2(way, protocol, request).await,
            Protocol::H2 => Err(ProbeError::Unsendable {
                reason: "HTTP/2 has no bytes behind a CONNECT before its answer".to_owned(),
            }),
            _ => over_h1(way, protocol, request, &early).await,
        }
    }
}

async fn over_h1(
    way: Way,
    protocol: Protocol,
    request: &Request,
    early: &[u8],
) -> Result<Handshake, ProbeError> {
    let mut raw = RawConnection::over(way);
    let sent = Sent {
        protocol,
        probe: request.probe_id(),
        client: raw.client(),
        connected_at: raw.connected_at(),
        head: request.h1_head(),
        at: Moment::now(),
        body: SentBody::default(),
    };
    raw.write([&request.h1_bytes(), early].concat()).await?;
    let method = String::from_utf8_lossy(request.method()).into_owned();
    let answer = raw.answer(&method).await?;
    let opened = (answer.status == 101).then(|| {
        let (stream, lever, early) = raw.into_stream();
        Opened {
            tunnel: Tunnel::H1 { stream, lever },
            early,
        }
    });
    Ok(Handshake {
        sent,
        answer,
        opened,
    })
}

async fn over_h2(way: Way, protocol: Protocol, request: &Request) -> Result<Handshake, ProbeError> {
    let request = request.clone().extended_connect();
    let (client, connected_at) = (way.client, way.connected_at);
    let link = H2Link::over(way.stream).await?;
    let sent = Sent {
        protocol,
        probe: request.probe_id(),
        client,
        connected_at,
        head: request.h2_head(),
        at: Moment::now(),
        body: SentBody::default(),
    };
    let (response, outgoing) = link.connect(&request, "websocket").await?;
    let at = Moment::now();
    let (parts, mut incoming) = response.into_parts();
    let head = Head {
        status: parts.status.as_u16(),
        raw: raw_head(parts.status, &parts.headers),
        delimited: Delimited::EndStream,
        at,
    };
    let mut growing = Growing::new(head, Vec::new(), sent.at);
    if parts.status.is_success() {
        let opened = Opened {
            tunnel: Tunnel::H2(H2Tunnel {
                outgoing,
                incoming,
                unread: Bytes::new(),
                driver: link.driver(),
            }),
            early: BytesMut::new(),
        };
        return Ok(Handshake {
            sent,
            answer: growing.snapshot(),
            opened: Some(opened),
        });
    }
    let reading = async {
        while let Some(Ok(bytes)) = read_data(&mut incoming).await {
            let at = Moment::now();
            growing.piece(&Piece {
                at,
                bytes,
                chunk: 0,
            });
        }
        growing.end(End::now(Ending::Complete, Vec::new()));
    };
    let read = Patience::ANSWER.within("the body of a refusal", reading);
    read.await.map_err(|ran_out| silent(ran_out, "its head"))?;
    Ok(Handshake {
        sent,
        answer: growing.snapshot(),
        opened: None,
    })
}

impl Handshake {
    /// The request as it was sent.
    #[must_use]
    pub fn sent(&self) -> &Sent {
        &self.sent
    }

    /// The answer: a 101 (HTTP/1) or 2xx (HTTP/2) without a body, or a refusal.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Whether the protocol was switched.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.opened.is_some()
    }

    /// Whether `Sec-WebSocket-Accept` is the one that belongs to the key (RFC 6455 section 4.2.2); HTTP/1 only.
    #[must_use]
    pub fn has_right_accept(&self) -> bool {
        let key = self.sent.head.first(WEBSOCKET_KEY).unwrap_or_default();
        self.answer.all("Sec-WebSocket-Accept") == [accept_key(&key)]
    }

    /// Goes on with messages.
    ///
    /// # Errors
    /// [`ProbeError::Refused`] when it was not accepted.
    pub async fn messages(self) -> Result<WebSocketProbe, ProbeError> {
        Ok(WebSocketProbe::over(self.opened()?).await)
    }

    /// Goes on with single frames, right or wrong.
    ///
    /// # Errors
    /// [`ProbeError::Refused`] when it was not accepted.
    pub fn frames(self) -> Result<FrameProbe, ProbeError> {
        Ok(FrameProbe::over(self.opened()?))
    }

    fn opened(self) -> Result<Opened, ProbeError> {
        let Self { answer, opened, .. } = self;
        opened.ok_or_else(|| ProbeError::Refused {
            answer: Box::new(answer),
        })
    }
}
