//! What passes from the task that reads an answer to the exchange: [`Hand`].

use std::future::poll_fn;
use std::task::{Context, Poll};

use proxyproof_mocks::Moment;
use proxyproof_mocks::ledger::Field;
use tokio::sync::{mpsc, watch};

use super::answer::{End, Ending, Head, Informational, Piece};
use super::error::ProbeError;

/// What the reader's task hands over, in the order it was read.
#[derive(Debug)]
pub(crate) enum Incoming {
    Informational(Informational),
    Head(Head),
    Piece(Piece),
    End(End),
    Failed(ProbeError),
}

/// Whether the reader's task reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    On,
    Off,
}

/// The channel between the reader's task and an exchange: small, so that a scenario that does not look does not read.
pub const PIECES_AHEAD: usize = 32;

/// The channel of an exchange, in the reader's hands.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) out: mpsc::Sender<Incoming>,
    pub(crate) reading: watch::Receiver<Reading>,
}

impl Hand {
    pub(crate) fn pair() -> (Self, mpsc::Receiver<Incoming>, watch::Sender<Reading>) {
        let (out, incoming) = mpsc::channel(PIECES_AHEAD);
        let (switch, reading) = watch::channel(Reading::On);
        (Self { out, reading }, incoming, switch)
    }

    /// Hands something over; `false` when nobody will take it any more.
    pub(crate) async fn over(&self, incoming: Incoming) -> bool {
        self.out.send(incoming).await.is_ok()
    }

    /// Polls one read, but only while reading is on: one under way when it is switched off is given up.
    ///
    /// `None` when the exchange is gone.
    pub(crate) async fn while_on<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        loop {
            let on = self.reading.wait_for(|reading| *reading == Reading::On);
            on.await.ok()?;
            tokio::select! {
                biased;
                changed = self.reading.changed() => changed.ok()?,
                value = poll_fn(&mut poll) => return Some(value),
            }
        }
    }

    pub(crate) async fn end(&self, end: End) {
        self.over(Incoming::End(end)).await;
    }
}

impl End {
    pub(crate) fn now(ended: Ending, trailers: Vec<Field>) -> Self {
        Self {
            ended,
            trailers,
            at: Moment::now(),
        }
    }
}
