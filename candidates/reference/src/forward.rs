//! A request from its arrival to the head of its response.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use crate::client::{Body, Client, Refusal};
use crate::config::Protocol;
use crate::defect::Defect;
use crate::distortion;
use crate::errand::Errand;
use crate::location::OwnAnswer;
use crate::plan::{Plan, PlannedUpgrade, body_limit};
use crate::request::{RequestHead, Upgrade};
use crate::upgrade::{self, Handshake};
use crate::upstream::{Asked, Opening, Outgoing, RequestFraming, Upload};
use crate::worker::Live;

/// The client is gone or broke the protocol: there is nobody to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client is gone")]
pub(crate) struct Abandoned;

/// Answers a request.
pub(crate) async fn answer(
    client: Rc<Client>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Abandoned> {
    let exchange = client.activity.begin();
    let live = client.worker.live();
    let answered = match live.site.defects.any() {
        false => forward(&client, &live, request).await,
        true => {
            distortion::forward(client.clone(), live.clone(), request)
                .boxed_local()
                .await
        }
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(Stop::Refused(refusal)) => refusal.into_response(),
        Err(Stop::RefusedUpload(refusal)) => refuse_upload(&client, refusal),
        Err(Stop::Abandoned) => return Err(Abandoned),
    };
    if live.site.defects.has(Defect::CloseEveryConnection) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        if client.activity.protocol() == Protocol::H2 {
            client.activity.drain();
        }
    }
    client.activity.produced();
    Ok(response.map(|body| body.during(exchange)))
}

/// Why there is no response of an upstream.
pub(crate) enum Stop {
    /// The proxy answers; nothing of a body is outstanding.
    Refused(Refusal),
    /// The proxy answers while the client may still be sending.
    RefusedUpload(Refusal),
    Abandoned,
}

fn refuse_upload(client: &Client, refusal: Refusal) -> Response<Body> {
    match client.activity.protocol() {
        Protocol::H1
            if client
                .worker
                .live()
                .site
                .defects
                .has(Defect::RefuseAndReset) =>
        {
            client.activity.reset();
            refusal.into_last_response()
        }
        Protocol::H1 => {
            client.activity.linger();
            refusal.into_last_response()
        }
        Protocol::H2 => refusal.into_response(),
    }
}

/// The answer of a location that goes to no upstream; a client that still sends a body can read it.
fn configured(client: &Client, answer: &OwnAnswer, is_over: bool) -> Response<Body> {
    let mut response = answer.response();
    if !is_over && client.activity.protocol() == Protocol::H1 {
        client.activity.linger();
        let fields = response.headers_mut();
        fields.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Forwards a request and gives the response as soon as its head is there.
pub(crate) async fn forward(
    client: &Rc<Client>,
    live: &Live,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Stop> {
    let on_upgrade = hyper::upgrade::on(&mut request);
    let (parts, incoming) = request.into_parts();
    let refuse = |refusal, incoming: &Incoming| match hyper::body::Body::is_end_stream(incoming) {
        true => Stop::Refused(refusal),
        false => Stop::RefusedUpload(refusal),
    };
    let Some(address) = client.address() else {
        return Err(refuse(Refusal::NoClientAddress, &incoming));
    };
    let plan = match Plan::of(&parts, &incoming, &live.site) {
        Ok(plan) => plan,
        Err(refusal) if live.site.defects.has(Defect::LateLengthRefusal) => {
            distortion::read_away(incoming).await;
            return Err(Stop::Refused(refusal));
        }
        Err(refusal) => return Err(refuse(refusal, &incoming)),
    };
    let location = live.site.router.location(&plan.route);
    if let Some(answer) = &location.owner.answer {
        let is_over = hyper::body::Body::is_end_stream(&incoming);
        return Ok(configured(client, answer, is_over));
    }
    if let Some(redirect) = distortion::slash_redirect(&plan, &parts, client, live) {
        return Ok(redirect);
    }
    let handshake = (plan.upgrade != PlannedUpgrade::None).then(|| Handshake::new(plan.upgrade));
    let pool = live.pool(plan.route.upstream);
    let head = head(
        client,
        live,
        &parts,
        &plan,
        distortion::named(address, client, pool, live),
        handshake.as_ref(),
    );
    let source = distortion::source(incoming, &plan, live).await;
    let mut upload = Upload::new(outgoing(client, live, &parts, &plan, head), source);
    let asked = match (&handshake, &parts.method) {
        (Some(_), _) => Asked::Upgrade,
        (None, &Method::HEAD) => Asked::HeadOnly,
        (None, _) => Asked::Whole,
    };
    let errand = Errand {
        client,
        live,
        parts: &parts,
        pool,
        asked,
    };
    let answered = errand
        .run(&mut upload)
        .await
        .map_err(|trouble| match handshake {
            Some(_) if live.site.defects.has(Defect::UpgradeFailureIsBadRequest) => {
                Stop::Refused(Refusal::BadRequest("no upgrade"))
            }
            _ => errand.refuse(trouble, &upload),
        })?;
    match handshake {
        Some(handshake) if answered.head.status == StatusCode::SWITCHING_PROTOCOLS => {
            upgrade::switch(client, live, answered, &handshake, on_upgrade).map_err(Stop::Refused)
        }
        Some(_) if live.site.defects.has(Defect::UpgradeRefusalLost) => {
            Err(Stop::Refused(Refusal::BadGateway("no upgrade")))
        }
        _ => errand.respond(answered, upload),
    }
}

fn head(
    client: &Client,
    live: &Live,
    parts: &Parts,
    plan: &Plan<'_>,
    address: &str,
    handshake: Option<&Handshake>,
) -> Bytes {
    let defects = live.site.defects;
    let token = parts
        .headers
        .get(UPGRADE)
        .map(HeaderValue::as_bytes)
        .filter(|_| defects.has(Defect::UpgradeAnyToken));
    let upstream_name = &live.site.upstreams[plan.route.upstream].name;
    RequestHead {
        method: &parts.method,
        target: &plan.target,
        host: if defects.has(Defect::UpstreamHost) {
            upstream_name
        } else {
            &plan.host
        },
        client: address,
        identity: &live.site.identity,
        listener_port: client.listen.address.port(),
        fields: &parts.headers,
        framing: sent_framing(live, plan),
        length: plan.length,
        upgrade: handshake.map(|handshake| Upgrade {
            token: token.unwrap_or(b"websocket"),
            key: handshake.key(),
        }),
        expects_continue: plan.expects_continue,
        defects,
    }
    .write()
}

fn sent_framing(live: &Live, plan: &Plan<'_>) -> RequestFraming {
    match plan.framing {
        RequestFraming::Empty
            if live.site.defects.has(Defect::ChunkEmptyBody)
                && plan.upgrade == PlannedUpgrade::None =>
        {
            RequestFraming::Chunked
        }
        RequestFraming::Length if live.site.defects.has(Defect::LengthAsChunked) => {
            RequestFraming::Chunked
        }
        framing => framing,
    }
}

fn outgoing(client: &Client, live: &Live, parts: &Parts, plan: &Plan<'_>, head: Bytes) -> Outgoing {
    let defects = live.site.defects;
    let opening = match parts.version {
        _ if plan.expects_continue => Opening::OnContinue,
        Version::HTTP_2 => Opening::AtOnce,
        _ => Opening::AfterTurn,
    };
    let allowance = match plan.framing {
        RequestFraming::Length => u64::MAX,
        _ if defects.has(Defect::NoChunkedLimit) => u64::MAX,
        _ => body_limit(&live.site),
    };
    Outgoing {
        head,
        framing: sent_framing(live, plan),
        opening,
        allowance,
        activity: client.activity.clone(),
        defects,
    }
}
