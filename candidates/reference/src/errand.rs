//! A request that was found good: sent, sent again where that is safe, and answered.

use std::rc::Rc;

use http::header::{CONNECTION, CONTENT_LENGTH, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Version};

use crate::client::{Body, Client, Refusal};
use crate::config::Protocol;
use crate::defect::Defect;
use crate::distortion;
use crate::forward::Stop;
use crate::upstream::{
    Answered, Asked, Attempt, Certainty, Circumstances, Connection, Cut, Failure, Pool,
    ResponseBody, ResponseHead, RunningUpload, Unreachable, Upload, UploadError,
};
use crate::worker::Live;

/// A request that was found good, on its way to a response.
pub(crate) struct Errand<'a> {
    pub(crate) client: &'a Rc<Client>,
    pub(crate) live: &'a Live,
    pub(crate) parts: &'a Parts,
    pub(crate) pool: &'a Rc<Pool>,
    pub(crate) asked: Asked,
}

/// Why there is no head.
pub(crate) enum Trouble {
    Unreachable(Unreachable),
    Failed(Failure),
}

impl Errand<'_> {
    /// Sends the request, again where that is safe, until a head comes.
    pub(crate) async fn run(&self, upload: &mut Upload) -> Result<Answered, Trouble> {
        let defects = self.live.site.defects;
        let mut connection = self.pooled();
        let mut again = defects.has(Defect::RetryTwice);
        loop {
            let is_reused = connection.is_some();
            let open = match connection.take() {
                Some(connection) => connection,
                None => self
                    .pool
                    .connect(self.live.site.timeouts.connect, self.live.site.defects)
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

    /// What the client is told instead of a response.
    pub(crate) fn refuse(&self, trouble: Trouble, upload: &Upload) -> Stop {
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
    pub(crate) fn respond(
        &self,
        answered: Answered,
        upload: Upload,
    ) -> Result<Response<Body>, Stop> {
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
            self.client.activity.protocol(),
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
