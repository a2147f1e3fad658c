//! Defects of an exchange as a whole.

use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION,
    RETRY_AFTER, SET_COOKIE,
};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Frame, Incoming};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};

use super::Distortion;
use crate::client::{Body, Client, Refusal};
use crate::defect::{Defect, Defects};
use crate::forward::{Stop, forward as forward_properly};
use crate::plan::{Plan, body_limit};
use crate::router::Fit;
use crate::upstream::{Connection, Pool, RequestFraming, Source};
use crate::worker::Live;

/// Forwards a request as the defects have it.
pub(crate) async fn forward(
    client: Rc<Client>,
    live: Rc<Live>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Stop> {
    let defects = live.site.defects;
    if defects.has(Defect::AnswerBadGateway) {
        let refusal = Refusal::BadGateway("no request is forwarded");
        return Err(Stop::Refused(refusal));
    }
    if defects.has(Defect::AnswerPreflight) && request.method() == Method::OPTIONS {
        return Ok(preflight());
    }
    if let Some(stop) = remembered_failure(&request, &live) {
        return Err(stop);
    }
    let is_head = request.method() == Method::HEAD;
    let upstream_host = request.headers().get(HOST).cloned();
    let accepted = request.headers().get(ACCEPT_ENCODING);
    let accepts_gzip = accepted.is_some_and(|value| value.as_bytes().starts_with(b"gzip"));
    let outcome = if defects.has(Defect::IgnoreClientAbort) {
        // On a task of its own, which goes on when the client's is dropped.
        let (client, live) = (client.clone(), live.clone());
        let detached = spawn_local(async move { forward_properly(&client, &live, request).await });
        detached.await.unwrap_or(Err(Stop::Abandoned))
    } else {
        forward_properly(&client, &live, request).await
    };
    match outcome {
        Ok(response)
            if defects.has(Defect::EjectAfterErrors)
                && (500..=504).contains(&response.status().as_u16()) =>
        {
            for pool in live.pools() {
                pool.failed_until.set(Some(Instant::now() + EJECTED));
            }
            Ok(response)
        }
        Ok(response) => {
            let mut defects = defects;
            if !accepts_gzip {
                defects.remove(Defect::CompressEvents);
            }
            Ok(distort(response, &client, defects, upstream_host, is_head).await)
        }
        Err(stop) => failed(stop, &live),
    }
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(
        "access-control-allow-origin",
        HeaderValue::from_static("null"),
    );
    response
}

fn remembered_failure(request: &Request<Incoming>, live: &Live) -> Option<Stop> {
    let defects = live.site.defects;
    let has_failed = |pool: &Pool| {
        pool.failed_until
            .get()
            .is_some_and(|until| Instant::now() < until)
    };
    let path = request.uri().path().as_bytes();
    let mine = live
        .site
        .router
        .route(path, defects)
        .map(|route| live.pool(route.upstream));
    let refuses = match mine {
        Some(mine) if defects.has(Defect::MarkDown) || defects.has(Defect::EjectAfterErrors) => {
            has_failed(mine)
        }
        _ if defects.has(Defect::FailureSpreads) => {
            live.pools().iter().any(|pool| has_failed(pool))
        }
        _ => false,
    };
    refuses.then_some(Stop::Refused(Refusal::BadGateway(
        "the upstream failed a while ago",
    )))
}

fn failed(stop: Stop, live: &Live) -> Result<Response<Body>, Stop> {
    let defects = live.site.defects;
    let (Stop::Refused(refusal) | Stop::RefusedUpload(refusal)) = &stop else {
        return Err(stop);
    };
    match *refusal {
        Refusal::BadGateway(_) => {
            if defects.has(Defect::UpstreamDownIsOk) {
                return Ok(Response::new(Body::full(Bytes::from_static(
                    b"{\"error\":\"upstream\"}",
                ))));
            }
            if defects.has(Defect::LeakUpstreamAddress) {
                let addresses: Vec<_> = live
                    .site
                    .upstreams
                    .iter()
                    .map(|upstream| upstream.servers[0].to_string())
                    .collect();
                let mut response = Response::new(Body::full(Bytes::from(format!(
                    "cannot reach {}",
                    addresses.join(" or ")
                ))));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                return Ok(response);
            }
            Err(stop)
        }
        _ => Err(stop),
    }
}

async fn distort(
    response: Response<Body>,
    client: &Client,
    defects: Defects,
    host: Option<HeaderValue>,
    is_head: bool,
) -> Response<Body> {
    let (mut parts, mut body) = response.into_parts();
    let status = parts.status;
    if defects.has(Defect::RewriteReason) && status.is_success() {
        parts.status = StatusCode::OK;
    }
    if defects.has(Defect::ReplaceErrors) && (status.is_client_error() || status.is_server_error())
    {
        parts.headers.remove(CONTENT_LENGTH);
        parts
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        body = Body::full(Bytes::from_static(b"<h1>error</h1>"));
    }
    for (defect, name) in [
        (Defect::DropCacheControl, CACHE_CONTROL),
        (Defect::DropRetryAfter, RETRY_AFTER),
        (Defect::SwallowLength, CONTENT_LENGTH),
    ] {
        if defects.has(defect) {
            parts.headers.remove(name);
        }
    }
    if defects.has(Defect::RewriteContentType) && parts.headers.contains_key(CONTENT_TYPE) {
        parts.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
    }
    if defects.has(Defect::JoinSetCookie) && parts.headers.contains_key(SET_COOKIE) {
        let all: Vec<_> = parts
            .headers
            .get_all(SET_COOKIE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b", "[..])) {
            parts.headers.insert(SET_COOKIE, joined);
        }
    }
    if defects.has(Defect::RewriteLocation) {
        rewrite_location(
            &mut parts.headers,
            client.listen.address.port(),
            host.as_ref(),
        );
    }
    if defects.has(Defect::ObeyAccelRedirect) && parts.headers.contains_key("x-accel-redirect") {
        let mut missing = Response::new(Body::empty());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    }
    let collects = defects.has(Defect::HonourAccelBuffering)
        && parts
            .headers
            .remove("x-accel-buffering")
            .is_some_and(|value| value == "yes");
    let media_type = parts.headers.get(CONTENT_TYPE);
    let collects = collects
        || defects.has(Defect::StreamEventsOnly)
            && media_type.is_none_or(|value| value != "text/event-stream");
    if is_head || !Distortion::wanted(defects, collects) {
        return Response::from_parts(parts, body);
    }
    if Distortion::changes_length(defects) {
        parts.headers.remove(CONTENT_LENGTH);
    }
    let is_event_stream = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    if Distortion::compresses(defects, is_event_stream) {
        parts
            .headers
            .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let mut distortion = Distortion::new(body, defects, is_event_stream, collects);
    if defects.has(Defect::HoldHead) || defects.has(Defect::BufferResponse) || collects {
        distortion.hold().await;
    }
    Response::from_parts(parts, Body::distorted(distortion))
}

fn rewrite_location(fields: &mut http::HeaderMap, port: u16, host: Option<&HeaderValue>) {
    let Some(path) = fields.get(LOCATION).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let path = path.split_once("://").map_or(path, |(_, rest)| {
        rest.find('/').map_or("/", |slash| &rest[slash..])
    });
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let host = host.split(':').next().unwrap_or(host);
    if let Ok(location) = HeaderValue::from_str(&format!("http://{host}:{port}{path}")) {
        fields.insert(LOCATION, location);
    }
}

/// The redirect that NGINX gives for a path without its location's final slash.
pub(crate) fn slash_redirect(
    plan: &Plan<'_>,
    parts: &Parts,
    client: &Client,
    live: &Live,
) -> Option<Response<Body>> {
    let defects = live.site.defects;
    let redirects =
        defects.has(Defect::SlashRedirectInternal) || defects.has(Defect::SlashRedirectDropsQuery);
    if !redirects || plan.route.fit != Fit::Slashless {
        return None;
    }
    let query = parts
        .uri
        .query()
        .filter(|_| !defects.has(Defect::SlashRedirectDropsQuery));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let path = parts.uri.path();
    let location = match defects.has(Defect::SlashRedirectInternal) {
        true => format!(
            "http://{}:{}{path}/{query}",
            plan.host,
            client.listen.address.port()
        ),
        false => format!("{path}/{query}"),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_str(&location).ok()?);
    Some(response)
}

/// Whom the upstream is told the client is.
pub(crate) fn named<'a>(address: &'a str, client: &Client, pool: &'a Pool, live: &Live) -> &'a str {
    if live.site.defects.has(Defect::MixIdentities) {
        return pool.first_client.get_or_init(|| address.into());
    }
    if live.site.defects.has(Defect::FirstRequestIdentityOnly) && client.activity.requests() > 1 {
        return "127.0.0.1";
    }
    address
}

/// Where the upload gets its body from.
pub(crate) async fn source(mut incoming: Incoming, plan: &Plan<'_>, live: &Live) -> Source {
    let defects = live.site.defects;
    if plan.framing == RequestFraming::Empty {
        return Source::None;
    }
    if !defects.has(Defect::BufferRequest) {
        return Source::Client(incoming);
    }
    let (queue, queued) = unbounded_channel();
    let (limit, mut length) = (body_limit(&live.site), 0);
    while let Some(frame) = next_frame(&mut incoming).await {
        length += frame
            .as_ref()
            .ok()
            .and_then(Frame::data_ref)
            .map_or(0, |data| data.len() as u64);
        // A body that broke off says so again and again.
        let is_over = frame.is_err() || length > limit;
        if queue.send(frame).is_err() || is_over {
            break;
        }
    }
    Source::Queue(queued)
}

/// Reads a body to its end for nothing.
pub(crate) async fn read_away(mut incoming: Incoming) {
    while let Some(Ok(_)) = next_frame(&mut incoming).await {}
}

/// Reads on from an upstream that nobody listens to any more.
pub(crate) async fn read_on(mut connection: Connection) {
    let read = std::future::poll_fn(|cx| {
        loop {
            connection.buffer.clear();
            match connection.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => (),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    // Bounded, as the upstream may be just as patient.
    let _ = timeout(Duration::from_secs(60), read).await;
}

/// Remembers that an upstream failed, for the defects that make much of it.
pub(crate) fn remember_failure(pool: &Pool, defects: Defects) {
    let lasts = match () {
        () if defects.has(Defect::MarkDown) => Duration::from_secs(2),
        () if defects.has(Defect::FailureSpreads) => Duration::from_secs(1),
        () => return,
    };
    pool.failed_until.set(Some(Instant::now() + lasts));
}

/// Has a connection wait until no other uses the upstream, for the defect that wants that.
pub(crate) async fn in_turn(
    mut connection: Connection,
    pool: &Pool,
    defects: Defects,
) -> Connection {
    if defects.has(Defect::SerialUpstream) {
        connection.turn = pool.turns.clone().acquire_owned().await.ok();
    }
    connection
}

async fn next_frame(incoming: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
    std::future::poll_fn(|cx| std::pin::Pin::new(&mut *incoming).poll_frame(cx)).await
}

/// How long an upstream is out of service for its errors.
const EJECTED: Duration = Duration::from_secs(2);
