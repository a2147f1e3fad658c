//! One connection of a client, for one exchange after the other, or in HTTP/2 several at once: [`Connection`].

use std::future::poll_fn;
use std::net::SocketAddr;

use proxyproof_mocks::Moment;

use super::answer::{Answer, ResetBy};
use super::client::Way;
use super::departure::Departure;
use super::error::ProbeError;
use super::exchange::{Exchange, silent};
use super::h1::{self, Seat};
use super::h2::H2Link;
use super::request::Request;
use super::sent::{Sent, SentBody};
use crate::patience::Patience;
use crate::protocol::Protocol;

/// A connection that is ready for requests; dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    link: Link,
    protocol: Protocol,
    client: SocketAddr,
    local: SocketAddr,
    connected_at: Moment,
}

#[derive(Debug)]
enum Link {
    H1(Seat),
    H2(H2Link),
}

/// How and when a peer ended a connection between exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When it was seen.
    pub at: Moment,
    /// How: in HTTP/2 a GOAWAY with an error counts as [`Departure::Reset`], one with NO_ERROR as [`Departure::Fin`].
    pub how: Departure,
}

impl Connection {
    pub(crate) async fn over(way: Way, protocol: Protocol) -> Result<Self, ProbeError> {
        let local = way.lever.local;
        let link = match protocol.listener() {
            Protocol::H2 => Link::H2(H2Link::over(way.stream).await?),
            _ => Link::H1(Seat::of(way.stream, way.lever)),
        };
        Ok(Self {
            link,
            protocol,
            client: way.client,
            local,
            connected_at: way.connected_at,
        })
    }

    /// The client's address as the PROXY header claims it.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        self.client
    }

    /// The client's end of the TCP connection.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether another exchange can be opened, as far as it is known without asking the peer.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        match &self.link {
            Link::H1(seat) => seat.is_occupied(),
            Link::H2(link) => link.is_open(),
        }
    }

    /// Sends the head of a request, and a whole body behind it; the answer is read meanwhile.
    ///
    /// # Errors
    /// [`ProbeError::Unusable`] while another exchange uses an HTTP/1 connection, or after it was given up;
    /// [`ProbeError::Unsendable`] for what the HTTP/2 library does not write: see [`super::RawH2`].
    pub async fn open(&self, request: &Request) -> Result<Exchange, ProbeError> {
        let sent = Sent {
            protocol: self.protocol,
            probe: request.probe_id(),
            client: self.client,
            connected_at: self.connected_at,
            head: request.h1_head(),
            at: Moment::now(),
            body: SentBody::default(),
        };
        match &self.link {
            Link::H1(seat) => h1::open(seat, request, sent).await,
            Link::H2(link) => link.open(request, sent).await,
        }
    }

    /// Sends a request and waits for the end of its answer.
    ///
    /// # Errors
    /// As [`Connection::open`] and [`Exchange::whole`].
    pub async fn send(&self, request: &Request) -> Result<Answer, ProbeError> {
        self.open(request).await?.whole().await
    }

    /// Waits until the peer closes the idle connection.
    ///
    /// # Errors
    /// [`ProbeError::Silent`] when it stays open, [`ProbeError::Unusable`] while an exchange uses it, and
    /// [`ProbeError::Malformed`] when something else comes.
    pub async fn closed_within(&self, patience: Patience) -> Result<Closing, ProbeError> {
        let closing = patience.within("the peer to close the connection", self.closed());
        closing
            .await
            .map_err(|ran_out| silent(ran_out, "an idle connection"))?
    }

    async fn closed(&self) -> Result<Closing, ProbeError> {
        let seat = match &self.link {
            Link::H1(seat) => seat,
            Link::H2(link) => {
                let end = link.ended().await;
                let how = match end.by {
                    None => Departure::Fin,
                    Some(ResetBy::Connection { code: None }) => Departure::Cut,
                    Some(_) => Departure::Reset,
                };
                return Ok(Closing { at: end.at, how });
            }
        };
        let mut block = [0; 1024];
        let read = poll_fn(|cx| seat.poll_block(&mut block, cx)).await?;
        let how = match read {
            Ok(0) => Departure::Fin,
            Ok(length) => {
                return Err(ProbeError::Malformed {
                    reason: "bytes on an idle connection".to_owned(),
                    received: block[..length].to_vec().into(),
                });
            }
            Err(error) => Departure::of(&error).unwrap_or(Departure::Reset),
        };
        Ok(Closing {
            at: Moment::now(),
            how,
        })
    }
}
