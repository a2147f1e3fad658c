//! What CPA sends its client for what the provider sent: frames, and when.

use std::time::Duration;

use crate::upstream::cpa::provider::{Emission, StreamEnd, Timeline};

/// One event for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: Option<&'static str>,
    pub(crate) data: String,
}

impl Frame {
    /// An event without a name.
    pub(crate) fn data(data: String) -> Self {
        Self { event: None, data }
    }

    /// An event with a name.
    pub(crate) fn named(event: &'static str, data: String) -> Self {
        Self {
            event: Some(event),
            data,
        }
    }

    /// The event as Server-Sent Events write it, with the empty line that ends it.
    pub(crate) fn sse(&self) -> String {
        match self.event {
            Some(event) => format!("event: {event}\ndata: {}\n\n", self.data),
            None => format!("data: {}\n\n", self.data),
        }
    }
}

/// The frames that one event of the provider brings (maybe none), and the time before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    pub(crate) after: Duration,
    pub(crate) frames: Vec<Frame>,
}

/// Why a stream did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breakdown {
    /// The status that it would have had as an answer.
    pub(crate) status: u16,
    /// CPA's words.
    pub(crate) message: String,
    /// The provider's own code, where it gave one.
    pub(crate) code: Option<String>,
}

impl Breakdown {
    pub(crate) fn new(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            code: None,
        }
    }
}

/// A translated stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Score {
    pub(crate) beats: Vec<Beat>,
    /// Why it broke, where it did; frames that the client's API wants at the end are not in `beats`.
    pub(crate) breakdown: Option<Breakdown>,
}

/// Translates `timeline` event by event; `finish` says what a stream brings that ended without its terminal event.
pub(crate) fn translate<E, T>(
    timeline: &Timeline<E>,
    translator: &mut T,
    each: impl Fn(&mut T, &E) -> Vec<Frame>,
    finish: impl FnOnce(&mut T, StreamEnd) -> (Vec<Frame>, Option<Breakdown>),
) -> Score {
    let mut beats: Vec<Beat> = timeline
        .emissions
        .iter()
        .map(|Emission { after, event }| Beat {
            after: *after,
            frames: each(translator, event),
        })
        .collect();
    let (frames, breakdown) = finish(translator, timeline.end);
    if !frames.is_empty() {
        beats.push(Beat {
            after: Duration::ZERO,
            frames,
        });
    }
    Score { beats, breakdown }
}
