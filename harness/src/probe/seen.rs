//! One exchange as both ends saw it: [`Seen`].

use proxyproof_mocks::Arrival;

use super::answer::Answer;
use super::error::ProbeError;
use super::sent::Sent;
use super::timeline::{self, TimelineEntry};

/// What was sent, what came back, and what arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request as the client wrote it.
    pub request: Sent,
    /// The answer, or why there is none.
    pub answer: Result<Answer, ProbeError>,
    /// The request as upstreams read it: none, or one for each time it arrived.
    pub arrivals: Vec<Arrival>,
}

impl Seen {
    /// The answer's status, if there is an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().ok().map(|answer| answer.status)
    }

    /// The only arrival; `None` where there is none, or more than one.
    #[must_use]
    pub fn arrival(&self) -> Option<&Arrival> {
        match &self.arrivals[..] {
            [arrival] => Some(arrival),
            _ => None,
        }
    }

    /// What happened when, at both ends, in order.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        timeline::of(self)
    }
}
