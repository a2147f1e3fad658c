//! When a provider sends what.

use std::time::Duration;

use super::model::{Delivery, Model};

/// One thing that is sent, some time after the thing before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emission<E> {
    pub(crate) after: Duration,
    pub(crate) event: E,
}

/// How a stream ended, as the receiver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// The sender closed it.
    Closed,
    /// It broke off in the middle.
    Aborted,
}

/// A whole stream: what comes when, and how it ends.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<E> {
    pub(crate) emissions: Vec<Emission<E>>,
    pub(crate) end: StreamEnd,
}

impl<E> Timeline<E> {
    /// `events` at the pace of `model`: time passes before each, or before all of a lump.
    pub(crate) fn paced(model: &Model, events: Vec<E>, end: StreamEnd) -> Self {
        let emissions = events
            .into_iter()
            .enumerate()
            .map(|(index, event)| Emission {
                after: wait(model, index),
                event,
            })
            .collect();
        Self { emissions, end }
    }
}

fn wait(model: &Model, index: usize) -> Duration {
    match (index, model.delivery) {
        (0, _) => model.silence_time() + model.pace_time(),
        (_, Delivery::Paced) => model.pace_time(),
        (_, Delivery::Lump) => Duration::ZERO,
    }
}
