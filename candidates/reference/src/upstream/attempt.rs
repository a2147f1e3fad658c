//! One try of one request on one connection, up to the head of its response.

use std::future::poll_fn;
use std::task::{Context, Poll};

use super::head::{Parsed, parse};
use super::{Asked, Connection, ResponseHead, Upload, UploadError};
use crate::config::Site;
use crate::defect::Defect;
use crate::distortion;

/// One try of one request on one connection.
pub(crate) struct Attempt<'a> {
    pub(crate) connection: Connection,
    pub(crate) upload: &'a mut Upload,
    pub(crate) asked: Asked,
    pub(crate) site: &'a Site,
    /// What becomes of interim responses other than 100.
    pub(crate) interim: &'a dyn Fn(&[u8]),
}

/// What came of it.
pub(crate) struct Answered {
    pub(crate) head: Box<ResponseHead>,
    pub(crate) connection: Connection,
    /// Whether the request is not yet written to its end.
    pub(crate) is_uploading: bool,
}

/// Why no head came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The connection ended without a byte of a response.
    Died,
    /// The connection ended inside the head.
    Truncated,
    /// The head makes no sense.
    Malformed(&'static str),
    /// No byte came for too long.
    Silent,
    /// The request did not get through, and it was not the connection that ended.
    Upload(UploadError),
}

impl Attempt<'_> {
    /// Sends and waits for the head; an upload may go on after it.
    pub(crate) async fn run(mut self) -> Result<Answered, Failure> {
        let mut sending = Sending::Yes;
        let mut interims = 0;
        let outcome = poll_fn(|cx| self.poll(cx, &mut sending, &mut interims)).await;
        let Self {
            connection, site, ..
        } = self;
        if matches!(outcome, Err(Failure::Upload(UploadError::ClientGone)))
            && site.defects.has(Defect::IgnoreUploadAbort)
        {
            tokio::task::spawn_local(distortion::read_on(connection));
            return Err(Failure::Upload(UploadError::ClientGone));
        }
        let head = outcome?;
        Ok(Answered {
            head,
            connection,
            is_uploading: sending == Sending::Yes,
        })
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        sending: &mut Sending,
        interims: &mut u32,
    ) -> Poll<Result<Box<ResponseHead>, Failure>> {
        loop {
            self.poll_send(cx, sending)?;
            if *sending == Sending::Yes && self.site.defects.has(Defect::HoldEarlyAnswer) {
                return Poll::Pending;
            }
            match self.poll_head(cx, interims) {
                Poll::Ready(Ok(Some(head))) => return Poll::Ready(Ok(head)),
                // The upstream wants the body: see to it before waiting again.
                Poll::Ready(Ok(None)) => (),
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Pending => break,
            }
        }
        let limit = self.site.timeouts.read;
        let waits = *sending != Sending::Yes;
        match waits && self.connection.silence.poll_over(cx, limit).is_ready() {
            true => Poll::Ready(Err(Failure::Silent)),
            false => Poll::Pending,
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, sending: &mut Sending) -> Result<(), Failure> {
        let writer = self
            .connection
            .writer
            .as_mut()
            .filter(|_| *sending == Sending::Yes);
        let Some(writer) = writer else { return Ok(()) };
        match self.upload.poll(cx, writer, &self.site.timeouts) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(())) => {
                *sending = Sending::Done;
                self.connection.silence.restart();
                Ok(())
            }
            // The upstream may have answered before it hung up.
            Poll::Ready(Err(UploadError::UpstreamGone)) => {
                *sending = Sending::Broken;
                self.connection.writer = None;
                self.connection.silence.restart();
                Ok(())
            }
            Poll::Ready(Err(error)) => Err(Failure::Upload(error)),
        }
    }

    /// The head; `None` where the upstream said 100 Continue.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        interims: &mut u32,
    ) -> Poll<Result<Option<Box<ResponseHead>>, Failure>> {
        loop {
            if !self.connection.buffer.is_empty() {
                let Site { head, defects, .. } = self.site;
                match parse(
                    &mut self.connection.buffer,
                    self.asked,
                    head.response_bytes,
                    *defects,
                )
                .map_err(Failure::Malformed)?
                {
                    Parsed::Final(head) => return Poll::Ready(Ok(Some(head))),
                    Parsed::Part => (),
                    Parsed::Continue | Parsed::Interim(_) if *interims == MOST_INTERIMS => {
                        return Poll::Ready(Err(Failure::Malformed(
                            "the upstream sent too many interim answers",
                        )));
                    }
                    Parsed::Continue => {
                        *interims += 1;
                        self.upload.proceed();
                        return Poll::Ready(Ok(None));
                    }
                    Parsed::Interim(text) => {
                        *interims += 1;
                        (self.interim)(&text);
                        continue;
                    }
                }
            }
            let is_silent = self.connection.buffer.is_empty() && *interims == 0;
            let ended = if is_silent {
                Failure::Died
            } else {
                Failure::Truncated
            };
            match self.connection.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(ended)),
                Poll::Ready(Ok(_)) => (),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Yes,
    Done,
    /// The upstream takes no more.
    Broken,
}

/// Interim responses to one request; more are a mistake or an attack.
const MOST_INTERIMS: u32 = 32;
