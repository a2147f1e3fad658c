//! The reverse proxy to CPA, as Go's `httputil.NewSingleHostReverseProxy` over its default transport.

use std::borrow::Cow;

use super::answer::error;
use super::proxied_head::{Credentials, received_fields, request_head, response};
use super::service::with;
use super::setup::Setup;
use super::tunnel::tunnel;
use super::upstream_connection::UpstreamConnection;
use crate::upstream::{After, Exchange, Request};
use crate::wire::http1::{AnswerFraming, AnswerHead, Response};

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
    let started = UpstreamConnection::open(&setup.base_url, &head, request, exchange);
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

async fn relay(
    mut upstream: UpstreamConnection,
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
    upstream: UpstreamConnection,
    answer: &AnswerHead,
    own: Vec<Field>,
    exchange: &mut Exchange,
) -> After {
    let mut response = with(own, Response::new(answer.status));
    for (name, value) in received_fields(answer) {
        response = response.field(name, value);
    }
    response.fields.sort_by(|one, other| one.0.cmp(&other.0));
    if exchange.upgrade(response).await.is_ok() {
        tunnel(&exchange.socket, upstream.stream, upstream.buffer).await;
    }
    After::Close
}

/// How many times the request has been forwarded, by its own account.
fn hops(request: &Request) -> usize {
    request
        .all("X-Forwarded-For")
        .iter()
        .map(|value| value.split(',').count())
        .sum()
}

/// No honest chain is that long.
const LOOP_LIMIT: usize = 32;
