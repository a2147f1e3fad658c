//! A request from its arrival to the head of its response.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use crate::client::{Body, Client, Refusal};
use crate::config::Protocol;
use crate::defect::Defect;
use crate::distortion;
use crate::plan::{Plan, PlannedUpgrade, body_limit};
use crate::request::{RequestHead, Upgrade};
use crate::upgrade::{self, Handshake};
use crate::upstream::{
    Answered, Asked, Attempt, Certainty, Circumstances, Connection, Cut, Failure, Opening,
    Outgoing, Pool, RequestFraming, ResponseBody, ResponseHead, RunningUpload, Unreachable, Upload,
    UploadError,
};
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
        true => distortion::forward(client.clone(), live.clone(), request).await,
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
    match client.listen.protocol {
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
    let task = Task {
        client,
        live,
        parts: &parts,
        pool,
        asked,
    };
    let answered = task
        .run(&mut upload)
        .await
        .map_err(|trouble| task.refuse(trouble, &upload))?;
    match handshake {
        Some(handshake) if answered.head.status == StatusCode::SWITCHING_PROTOCOLS => {
            upgrade::switch(client, live, answered, &handshake, on_upgrade).map_err(Stop::Refused)
        }
        Some(_) if live.site.defects.has(Defect::UpgradeRefusalLost) => {
            Err(Stop::Refused(Refusal::BadGateway("no upgrade")))
        }
        _ => task.respond(answered, upload),
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
        listener_port: client.listen.address.port(),
        fields: &parts.headers,
        framing: sent_framing(live, plan),
        length: plan.length,
        upgrade: handshake.map(|handshake| Upgrade {
            token: token.unwrap_or(b"websocket"),
            key: handshake.key(),
        }),
        expects_continue: plan.expects_continue && !defects.has(Defect::ContinueAtOnce),
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
        _ if plan.expects_continue && !defects.has(Defect::ContinueAtOnce) => Opening::OnContinue,
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

/// A request that was found good, on its way to a response.
struct Task<'a> {
    client: &'a Rc<Client>,
    live: &'a Live,
    parts: &'a Parts,
    pool: &'a Rc<Pool>,
    asked: Asked,
}

/// Why there is no head.
enum Trouble {
    Unreachable(Unreachable),
    Failed(Failure),
}

impl Task<'_> {
    /// Sends the request, again where that is safe, until a head comes.
    async fn run(&self, upload: &mut Upload) -> Result<Answered, Trouble> {
        let defects = self.live.site.defects;
        let mut connection = self.pooled();
        let mut again = defects.has(Defect::RetryTwice);
        loop {
            let is_reused = connection.is_some();
            let open = match connection.take() {
                Some(connection) => connection,
                None => self
                    .pool
                    .connect(self.live.site.timeouts.connect)
                    .await
                    .map_err(Trouble::Unreachable)?,
            };
            let open = distortion::in_turn(open, self.pool, defects).await;
            let attempt = Attempt {
                connection: open,
                upload,
                asked: self.asked,
                site: &self.live.site,
                interim: &|text| self.pass_interim(text),
            };
            match attempt.run().await {
                Ok(answered) => return Ok(answered),
                Err(Failure::Died)
                    if (is_reused || std::mem::take(&mut again)) && self.may_repeat(upload) => {}
                Err(failure) => return Err(Trouble::Failed(failure)),
            }
        }
    }

    fn pooled(&self) -> Option<Connection> {
        let certainty = if is_idempotent(&self.parts.method) {
            Certainty::Heard
        } else {
            Certainty::Asked
        };
        self.pool.take(certainty, self.live.site.timeouts.idle)
    }

    /// Whether the request can be sent once more after a pooled connection died without a byte of a response.
    ///
    /// RFC 9110 section 9.2.2: automatically only if the method is idempotent, or if it is known that nothing was applied,
    /// which is so when nothing was written.
    fn may_repeat(&self, upload: &mut Upload) -> bool {
        let defects = self.live.site.defects;
        if defects.has(Defect::NeverRetry) {
            return false;
        }
        let is_safe = is_idempotent(&self.parts.method) || upload.is_unwritten();
        let is_repeated_anyway = defects.has(Defect::RetryPost) || defects.has(Defect::RetryTwice);
        (is_safe || is_repeated_anyway) && upload.rewind()
    }

    fn pass_interim(&self, text: &[u8]) {
        if self.parts.version == Version::HTTP_11
            && !self.live.site.defects.has(Defect::SwallowInterim)
        {
            self.client.activity.send_interim(text);
        }
    }

    fn refuse(&self, trouble: Trouble, upload: &Upload) -> Stop {
        if !matches!(trouble, Trouble::Failed(Failure::Upload(_))) {
            distortion::remember_failure(self.pool, self.live.site.defects);
        }
        let refusal = match trouble {
            Trouble::Unreachable(Unreachable::Refused) => {
                Refusal::BadGateway("the upstream cannot be reached")
            }
            Trouble::Unreachable(Unreachable::TimedOut)
            | Trouble::Failed(Failure::Silent | Failure::Upload(UploadError::UpstreamStalled)) => {
                Refusal::GatewayTimeout
            }
            Trouble::Failed(Failure::Died | Failure::Upload(UploadError::UpstreamGone)) => {
                Refusal::BadGateway("the upstream hung up")
            }
            Trouble::Failed(Failure::Truncated) => {
                Refusal::BadGateway("the upstream hung up inside its head")
            }
            Trouble::Failed(Failure::Malformed(why)) => Refusal::BadGateway(why),
            Trouble::Failed(Failure::Upload(UploadError::TooLarge)) => Refusal::ContentTooLarge,
            Trouble::Failed(Failure::Upload(UploadError::ClientSilent)) => Refusal::BodyTimeout,
            Trouble::Failed(Failure::Upload(UploadError::ClientGone)) => return Stop::Abandoned,
        };
        if upload.is_unfinished() {
            Stop::RefusedUpload(refusal)
        } else {
            Stop::Refused(refusal)
        }
    }

    /// The response to the client; its body follows as it comes.
    fn respond(&self, answered: Answered, upload: Upload) -> Result<Response<Body>, Stop> {
        let Answered {
            head,
            mut connection,
            is_uploading,
        } = answered;
        if self.parts.method == Method::CONNECT && head.status.is_success() {
            // RFC 8441 section 5: a success would tell the client that the tunnel stands.
            return Err(Stop::Refused(Refusal::BadGateway(
                "the upstream answered a handshake without switching",
            )));
        }
        let upload = is_uploading
            .then(|| run_on(upload, &mut connection, self.live))
            .flatten();
        let mut body = ResponseBody::new(
            connection,
            Circumstances {
                framing: head.framing,
                persists: head.persists,
                pool: self.pool.clone(),
                upload,
                activity: self.client.activity.clone(),
                silence: self.live.site.timeouts.read,
                cut: if self.parts.version == Version::HTTP_10 && !head.has_length() {
                    Cut::Reset
                } else {
                    Cut::Framing
                },
                defects: self.live.site.defects,
            },
        );
        let body = match body.take_whole() {
            Some(whole) => Body::full(whole),
            None => Body::streamed(body),
        };
        Ok(assemble(
            *head,
            self.asked,
            body,
            self.client.listen.protocol,
        ))
    }
}

/// Lets an upload go on beside the response.
fn run_on(mut upload: Upload, connection: &mut Connection, live: &Live) -> Option<RunningUpload> {
    let mut writer = connection.writer.take()?;
    let site = live.site.clone();
    let rest = async move {
        std::future::poll_fn(|cx| upload.poll(cx, &mut writer, &site.timeouts)).await?;
        Ok(writer)
    };
    Some(RunningUpload(tokio::task::spawn_local(rest)))
}

fn assemble(head: ResponseHead, asked: Asked, body: Body, protocol: Protocol) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.fields;
    if asked != Asked::HeadOnly && head.status == StatusCode::NO_CONTENT {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    if let Some(reason) = head.reason {
        response.extensions_mut().insert(reason);
    }
    if let Some(upgrade) = head
        .upgrade
        .filter(|_| protocol == Protocol::H1 && head.status == StatusCode::UPGRADE_REQUIRED)
    {
        // RFC 9110 section 15.5.22: 426 says what to upgrade to.
        response.headers_mut().insert(UPGRADE, upgrade);
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    response
}

/// RFC 9110 section 9.2.2.
fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::OPTIONS
            | Method::PUT
            | Method::DELETE
            | Method::TRACE
            | Method::CONNECT
    )
}
