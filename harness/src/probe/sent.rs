//! What a client sent: [`Sent`].

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use proxyproof_mocks::ledger::RawHead;
use proxyproof_mocks::{Moment, ProbeId};

use crate::protocol::Protocol;

/// One request as the client wrote it, and how far its body came.
#[derive(Clone, Debug)]
pub struct Sent {
    /// How it went to the candidate.
    pub protocol: Protocol,
    /// The probe id, also where the request did not carry it.
    pub probe: ProbeId,
    /// The client's address as the PROXY header claims it; that of the socket where there is no claim.
    pub client: SocketAddr,
    /// When the connection was there, PROXY header and TLS included.
    pub connected_at: Moment,
    /// The head: exact bytes in HTTP/1, written like one (`GET / HTTP/2`) in HTTP/2.
    pub head: RawHead,
    /// When the first byte of the head was handed to the operating system.
    pub at: Moment,
    /// How far the body came.
    pub body: SentBody,
}

/// How far a request's body came.
#[derive(Clone, Debug, Default)]
pub struct SentBody {
    /// How many bytes were taken by the operating system or the HTTP/2 window, coding not counted.
    pub length: u64,
    /// When the first of them was taken.
    pub first_at: Option<Moment>,
    /// When the last of them was taken.
    pub last_at: Option<Moment>,
    /// Whether that was all.
    pub upload: Upload,
}

/// Whether a body was sent to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upload {
    /// There was nothing to send behind the head.
    #[default]
    None,
    /// It is being sent.
    Open,
    /// To its end.
    Complete,
    /// The peer stopped taking it.
    Cut {
        /// What the system or the protocol said.
        reason: String,
    },
}

/// Counts a body while a task writes it; clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<SentBody>>);

impl Meter {
    pub(crate) fn open(&self) {
        self.change(|body| body.upload = Upload::Open);
    }

    pub(crate) fn took(&self, length: usize) {
        let now = Moment::now();
        self.change(|body| {
            body.length += length as u64;
            body.first_at.get_or_insert(now);
            body.last_at = Some(now);
        });
    }

    pub(crate) fn complete(&self) {
        self.change(|body| body.upload = Upload::Complete);
    }

    pub(crate) fn cut(&self, reason: &str) {
        self.change(|body| {
            if body.upload == Upload::Open {
                body.upload = Upload::Cut {
                    reason: reason.to_owned(),
                };
            }
        });
    }

    pub(crate) fn read(&self) -> SentBody {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut SentBody)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
