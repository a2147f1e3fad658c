//! WebSocket handshakes: RFC 6455 as it is, RFC 8441 translated to it.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{HeaderValue, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::client::{Body, Client, ClientStream, Refusal, Transport};
use crate::config::Site;
use crate::defect::Defect;
use crate::fields::has_token;
use crate::plan::PlannedUpgrade;
use crate::tunnel::{Ends, tunnel};
use crate::upstream::{Answered, ResponseHead};
use crate::worker::Live;

/// A handshake under way.
pub(crate) struct Handshake {
    kind: PlannedUpgrade,
    /// The proxy's own, where the client's protocol has none.
    key: Option<String>,
}

impl Handshake {
    pub(crate) fn new(kind: PlannedUpgrade) -> Self {
        let key = (kind == PlannedUpgrade::ExtendedConnect).then(fresh_key);
        Self { kind, key }
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

/// Answers the client that the upstream has switched, and joins the two connections.
pub(crate) fn switch(
    client: &Rc<Client>,
    live: &Live,
    answered: Answered,
    handshake: &Handshake,
    on_upgrade: OnUpgrade,
) -> Result<Response<Body>, Refusal> {
    let Answered {
        head, connection, ..
    } = answered;
    check(&head, handshake, live)?;
    let (upstream, from_upstream) = connection.into_parts().ok_or(Refusal::BadGateway(
        "the upstream hung up inside a handshake",
    ))?;
    let joined = join(on_upgrade, upstream, from_upstream, live.site.clone());
    client.worker.spawn(None, joined);
    Ok(accept(*head, handshake))
}

/// Carries bytes once the client's side has switched too.
async fn join(
    on_upgrade: OnUpgrade,
    upstream: TcpStream,
    mut from_upstream: BytesMut,
    site: Arc<Site>,
) {
    let Ok(upgraded) = on_upgrade.await else {
        return;
    };
    if site.defects.has(Defect::LoseEarlyFrames) {
        from_upstream.clear();
    }
    let upstream = Upstream {
        socket: upstream,
        early: from_upstream,
    };
    let upgraded = match upgraded.downcast::<TokioIo<ClientStream>>() {
        Ok(parts) => return carry(parts, upstream, &site).await,
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast::<TokioIo<ClientStream<TlsStream<TcpStream>>>>() {
        Ok(parts) => carry(parts, upstream, &site).await,
        // A stream of an HTTP/2 connection.
        Err(stream) => {
            tunnel(
                Ends {
                    client: TokioIo::new(stream),
                    upstream: upstream.socket,
                    from_client: Bytes::new(),
                    from_upstream: upstream.early,
                },
                &site,
            )
            .await;
        }
    }
}

/// An upstream that has switched, and what it said already.
struct Upstream {
    socket: TcpStream,
    early: BytesMut,
}

/// Carries bytes of a connection that is the tunnel's from now on.
async fn carry<S: Transport>(
    parts: Parts<TokioIo<ClientStream<S>>>,
    upstream: Upstream,
    site: &Site,
) {
    let mut client = parts.io.into_inner();
    client.hand_over();
    tunnel(
        Ends {
            client,
            upstream: upstream.socket,
            from_client: parts.read_buf,
            from_upstream: upstream.early,
        },
        site,
    )
    .await;
}

/// The answer in the client's protocol.
fn accept(mut head: ResponseHead, handshake: &Handshake) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    head.fields.remove(CONTENT_LENGTH);
    if handshake.kind == PlannedUpgrade::Switch {
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        head.fields.insert(
            UPGRADE,
            head.upgrade
                .unwrap_or(HeaderValue::from_static("websocket")),
        );
        head.fields
            .insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    } else {
        head.fields.remove(SEC_WEBSOCKET_ACCEPT);
    }
    *response.headers_mut() = head.fields;
    response
}

fn check(head: &ResponseHead, handshake: &Handshake, live: &Live) -> Result<(), Refusal> {
    let switched_to = head
        .upgrade
        .as_ref()
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    if !has_token(switched_to, b"websocket") && !live.site.defects.has(Defect::UpgradeAnyToken) {
        return Err(Refusal::BadGateway(
            "the upstream switched to something else",
        ));
    }
    match &handshake.key {
        Some(key)
            if head
                .fields
                .get(SEC_WEBSOCKET_ACCEPT)
                .is_none_or(|accept| *accept != accept_of(key)) =>
        {
            Err(Refusal::BadGateway(
                "the upstream did not accept the handshake",
            ))
        }
        _ => Ok(()),
    }
}

/// A handshake key: 16 bytes that nobody has to guess, only not to repeat (RFC 6455 section 4.1).
fn fresh_key() -> String {
    let random = || RandomState::new().hash_one(0).to_ne_bytes();
    BASE64_STANDARD.encode([random(), random()].concat())
}

/// RFC 6455 section 4.2.2.
fn accept_of(key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(key);
    digest.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::{accept_of, fresh_key};

    #[test]
    fn the_example_of_rfc_6455_is_accepted() {
        assert_eq!(
            accept_of("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn keys_differ() {
        assert_eq!(fresh_key().len(), 24);
        assert_ne!(fresh_key(), fresh_key());
    }
}
