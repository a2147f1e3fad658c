//! One request and its answer, step by step: [`Exchange`].

use std::sync::Arc;

use bytes::Bytes;
use h2::Reason;
use proxyproof_mocks::ProbeId;
use tokio::sync::{mpsc, watch};

use super::answer::{Answer, Growing, Informational, Piece};
use super::error::ProbeError;
use super::h1::{Leftover, Seat};
use super::hand::{Incoming, Reading};
use super::outlet::Outlet;
use super::sent::{Meter, Sent};
use super::stream::Lever;
use super::task::Task;
use super::upload::UploadState;
use crate::patience::{Patience, RanOut};

/// A request on its way and the answer to it.
///
/// A task of its own reads the answer, so times are those of the arrival, whatever the scenario waits for meanwhile.
/// It reads at most [`super::PIECES_AHEAD`] pieces ahead of [`Exchange::next`], and nothing after [`Exchange::stop_reading`].
/// Dropping an unfinished exchange aborts it: HTTP/1 closes the connection, HTTP/2 resets the stream (CANCEL).
#[derive(Debug)]
pub struct Exchange {
    sent: Sent,
    meter: Meter,
    upload: UploadState,
    incoming: mpsc::Receiver<Incoming>,
    reading: watch::Sender<Reading>,
    reader: Option<Task<Option<Leftover>>>,
    informational: Vec<Informational>,
    growing: Option<Growing>,
    failure: Option<ProbeError>,
    patience: Option<Patience>,
    ground: Ground,
}

/// What an exchange needs of its connection.
#[derive(Debug)]
pub(crate) enum Ground {
    /// The whole connection, given back to its seat when both sides are through.
    H1 { seat: Seat, lever: Option<Lever> },
    /// The driver of the connection, which must outlive the stream.
    H2 {
        #[expect(
            dead_code,
            reason = "held so that the connection lives as long as its streams"
        )]
        driver: Arc<Task<()>>,
    },
}

/// The parts of an exchange that its HTTP version makes.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) sent: Sent,
    pub(crate) meter: Meter,
    pub(crate) upload: UploadState,
    pub(crate) incoming: mpsc::Receiver<Incoming>,
    pub(crate) reading: watch::Sender<Reading>,
    pub(crate) reader: Task<Option<Leftover>>,
    pub(crate) ground: Ground,
}

impl Exchange {
    pub(crate) fn new(begun: Begun, patience: Option<Patience>) -> Self {
        Self {
            sent: begun.sent,
            meter: begun.meter,
            upload: begun.upload,
            incoming: begun.incoming,
            reading: begun.reading,
            reader: Some(begun.reader),
            informational: Vec::new(),
            growing: None,
            failure: None,
            patience,
            ground: begun.ground,
        }
    }

    /// Another bound for every single wait of this exchange.
    #[must_use]
    pub fn patience(mut self, patience: Patience) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The probe id of the request.
    #[must_use]
    pub fn probe_id(&self) -> ProbeId {
        self.sent.probe
    }

    /// The request as far as it was sent.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent {
            body: self.meter.read(),
            ..self.sent.clone()
        }
    }

    /// The answer as far as it was read by this exchange's waits; `None` before its head.
    #[must_use]
    pub fn so_far(&self) -> Option<Answer> {
        self.growing.as_ref().map(Growing::snapshot)
    }

    /// Why there is no answer, once a wait has found that out.
    #[must_use]
    pub fn failure(&self) -> Option<&ProbeError> {
        self.failure.as_ref()
    }

    /// Waits for the next head with a 1xx status; `None` once the final head is there.
    ///
    /// # Errors
    /// As [`Exchange::head`].
    pub async fn informational(&mut self) -> Result<Option<Informational>, ProbeError> {
        let known = self.informational.len();
        while self.growing.is_none() && self.informational.len() == known {
            self.advance("a 1xx head", Patience::ANSWER).await?;
        }
        Ok(self.informational.get(known).cloned())
    }

    /// Waits for the final head; the answer is as far as it was read, mostly without a body.
    ///
    /// # Errors
    /// [`ProbeError::Closed`], [`ProbeError::Reset`] or [`ProbeError::Malformed`] where none comes, and
    /// [`ProbeError::Silent`] where nothing comes.
    pub async fn head(&mut self) -> Result<Answer, ProbeError> {
        while self.growing.is_none() {
            self.advance("the answer's head", Patience::ANSWER).await?;
        }
        self.so_far().ok_or_else(|| self.gone())
    }

    /// Waits for the next piece of the body; `None` at its end, about which [`Exchange::so_far`] tells more.
    ///
    /// # Errors
    /// As [`Exchange::head`]; a body that breaks off is an end and no error.
    pub async fn next(&mut self) -> Result<Option<Piece>, ProbeError> {
        self.head().await?;
        while !self.is_ended() {
            let step = self.advance("the next piece of the body", Patience::STREAM);
            // An empty DATA frame, which often carries END_STREAM, is no part of the body.
            if let Some(piece) = step.await?.filter(|piece| !piece.bytes.is_empty()) {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// Waits for the end of the answer, however it ends.
    ///
    /// # Errors
    /// As [`Exchange::head`]; a body that breaks off is an [`super::Ending`] and no error, one that just stops coming
    /// is [`ProbeError::Silent`], and [`Exchange::so_far`] has what came.
    pub async fn whole(&mut self) -> Result<Answer, ProbeError> {
        self.head().await?;
        while !self.is_ended() {
            self.advance("the end of the body", Patience::STREAM)
                .await?;
        }
        self.so_far().ok_or_else(|| self.gone())
    }

    /// Sends a part of a streamed body; returns when the system or the peer's window has taken it.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the peer takes no more, [`ProbeError::Silent`] when it just does not read: the rest
    /// stays, and goes before the next part.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), ProbeError> {
        let patience = self.patience.unwrap_or(Patience::STREAM);
        self.write_within(bytes.into(), patience).await
    }

    /// Writes one part again and again until nobody takes it for a while, or `limit` bytes are written.
    ///
    /// Returns how many bytes of the body were taken in all: what lies between client and upstream.
    ///
    /// # Errors
    /// [`ProbeError::Write`] when the peer takes no more at all.
    pub async fn write_until_blocked(
        &mut self,
        part: Bytes,
        limit: u64,
        quiet: Patience,
    ) -> Result<u64, ProbeError> {
        while self.meter.read().length < limit {
            match self.write_within(part.clone(), quiet).await {
                Ok(()) => {}
                Err(ProbeError::Silent { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(self.meter.read().length)
    }

    /// Ends a streamed body, with the trailers of the request.
    ///
    /// # Errors
    /// As [`Exchange::write`].
    pub async fn finish(&mut self) -> Result<(), ProbeError> {
        let patience = self.patience.unwrap_or(Patience::STREAM);
        let UploadState::Streamed(outlet, trailers) = &mut self.upload else {
            return Err(NOT_STREAMED);
        };
        let finished = patience
            .within("the peer to take the body", outlet.finish(trailers))
            .await;
        finished.map_err(|ran_out| silent(ran_out, "the body"))??;
        self.upload = match std::mem::replace(&mut self.upload, UploadState::Done(None)) {
            UploadState::Streamed(outlet, _) => UploadState::Done(Some(outlet)),
            other => other,
        };
        Ok(())
    }

    /// Closes the sending side (FIN) and goes on reading; HTTP/1 only, where it is allowed and unusual.
    ///
    /// # Errors
    /// [`ProbeError::Unsendable`] in HTTP/2, [`ProbeError::Write`] when the connection is gone.
    pub async fn half_close(&mut self) -> Result<(), ProbeError> {
        let outlet = match &mut self.upload {
            UploadState::Streamed(outlet, _) | UploadState::Withheld(outlet, ..) => outlet,
            UploadState::Done(Some(outlet)) => outlet,
            UploadState::Sending(_) | UploadState::Done(None) => return Err(NOT_STREAMED),
        };
        match outlet {
            Outlet::H1(outlet) => outlet.half_close().await,
            Outlet::H2(_) => Err(ProbeError::Unsendable {
                reason: "an HTTP/2 stream has no half-close but the end of its body".to_owned(),
            }),
        }
    }

    /// Stops reading: what the peer sends from now on fills the buffers between, then its writes block.
    pub fn stop_reading(&self) {
        self.reading.send_replace(Reading::Off);
    }

    /// Reads on after [`Exchange::stop_reading`].
    pub fn resume_reading(&self) {
        self.reading.send_replace(Reading::On);
    }

    /// Aborts at once: RST in HTTP/1, RST_STREAM with CANCEL in HTTP/2.
    ///
    /// # Errors
    /// [`ProbeError::Unusable`] when the exchange is over, and the connection was given back.
    pub async fn reset(mut self) -> Result<(), ProbeError> {
        let reader = self.reader.take().ok_or(OVER)?;
        match (&self.ground, &mut self.upload) {
            (Ground::H1 { lever, .. }, _) => {
                let armed = lever.as_ref().ok_or(OVER)?.arm_reset();
                armed.map_err(|cause| ProbeError::Write {
                    what: "a reset",
                    cause: Arc::new(cause),
                })?;
            }
            (Ground::H2 { .. }, UploadState::Streamed(Outlet::H2(outlet), _))
            | (Ground::H2 { .. }, UploadState::Withheld(Outlet::H2(outlet), ..))
            | (Ground::H2 { .. }, UploadState::Done(Some(Outlet::H2(outlet)))) => {
                outlet.reset(Reason::CANCEL);
            }
            // Dropped with its task below, which resets the stream just so.
            (Ground::H2 { .. }, _) => {}
        }
        reader.stop().await;
        if let UploadState::Sending(task) =
            std::mem::replace(&mut self.upload, UploadState::Done(None))
        {
            task.stop().await;
        }
        Ok(())
    }

    fn is_ended(&self) -> bool {
        self.growing.as_ref().is_some_and(Growing::is_ended)
    }

    async fn write_within(&mut self, bytes: Bytes, patience: Patience) -> Result<(), ProbeError> {
        let UploadState::Streamed(outlet, _) = &mut self.upload else {
            return Err(NOT_STREAMED);
        };
        let written = patience
            .within("the peer to take the body", outlet.write(bytes))
            .await;
        written.map_err(|ran_out| silent(ran_out, "the body"))?
    }

    /// Takes the next thing the reader hands over; gives it if it is a piece.
    async fn advance(
        &mut self,
        awaited: &str,
        default: Patience,
    ) -> Result<Option<Piece>, ProbeError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let patience = self.patience.unwrap_or(default);
        let incoming = patience.within(awaited, self.incoming.recv()).await;
        let incoming = incoming.map_err(|ran_out| silent(ran_out, &self.last_seen()))?;
        match incoming.unwrap_or_else(|| Incoming::Failed(self.gone())) {
            Incoming::Informational(head) => self.take_informational(head),
            Incoming::Head(head) => {
                let informational = self.informational.clone();
                self.growing = Some(Growing::new(head, informational, self.sent.at));
            }
            Incoming::Piece(piece) => {
                if let Some(growing) = &mut self.growing {
                    growing.piece(&piece);
                }
                return Ok(Some(piece));
            }
            Incoming::End(end) => {
                if let Some(growing) = &mut self.growing {
                    growing.end(end);
                }
                self.give_back().await;
            }
            Incoming::Failed(error) => {
                self.failure = Some(error.clone());
                return Err(error);
            }
        }
        Ok(None)
    }

    fn take_informational(&mut self, head: Informational) {
        let permits = head.status == 100;
        self.informational.push(head);
        if !permits || !matches!(self.upload, UploadState::Withheld(..)) {
            return;
        }
        let state = std::mem::replace(&mut self.upload, UploadState::Done(None));
        if let UploadState::Withheld(outlet, payload, trailers) = state {
            self.meter.open();
            self.upload = UploadState::sending(outlet, payload, trailers);
        }
    }

    /// Puts an HTTP/1 connection back where the next exchange finds it, if both sides are through with this one.
    async fn give_back(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        let leftover = reader.join().await.ok().flatten();
        let outlet = match std::mem::replace(&mut self.upload, UploadState::Done(None)) {
            UploadState::Done(outlet) => outlet,
            // An answer may come before the whole body was sent; a peer that then does not read on gets no more.
            UploadState::Sending(task) => {
                let sent = Patience::QUIET.within("the rest of the body", task.join());
                match sent.await {
                    Ok(Ok((outlet, Ok(())))) => Some(outlet),
                    _ => None,
                }
            }
            open => {
                self.upload = open;
                None
            }
        };
        let Ground::H1 { seat, lever } = &mut self.ground else {
            return;
        };
        if let (Some(Outlet::H1(outlet)), Some(leftover)) = (outlet, leftover)
            && !outlet.has_pending()
            && let Some(lever) = lever.take()
        {
            seat.sit(leftover, outlet.into_half(), lever);
        }
    }

    fn last_seen(&self) -> String {
        match (&self.growing, self.informational.last()) {
            (Some(growing), _) => {
                let answer = growing.snapshot();
                let pieces = answer.pieces.len();
                format!(
                    "status {} and {} bytes in {pieces} pieces",
                    growing.status(),
                    answer.length
                )
            }
            (None, Some(head)) => format!("status {}", head.status),
            (None, None) => {
                let body = self.meter.read().length;
                format!("nothing since the request was sent ({body} bytes of body)")
            }
        }
    }

    fn gone(&self) -> ProbeError {
        self.failure.clone().unwrap_or(OVER)
    }
}

pub(crate) fn silent(ran_out: RanOut, last_seen: &str) -> ProbeError {
    ProbeError::Silent {
        awaited: ran_out.awaited,
        patience: ran_out.patience,
        waited: ran_out.waited,
        last_seen: last_seen.to_owned(),
    }
}

const NOT_STREAMED: ProbeError = ProbeError::Unusable {
    reason: "the request's body is not written through the exchange, or is at its end",
};
const OVER: ProbeError = ProbeError::Unusable {
    reason: "the exchange is over",
};
