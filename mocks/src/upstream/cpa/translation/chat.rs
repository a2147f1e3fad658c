//! To the chat completions API.

use super::frame::Frame;
use crate::upstream::cpa::provider::ChatEvent;

/// Chunks of an OpenAI-style provider pass verbatim; `[DONE]` is dropped here, and written when the stream ends.
#[derive(Debug)]
pub(crate) struct ChatFromChat<'a> {
    pub(crate) model: &'a str,
}

impl ChatFromChat<'_> {
    pub(crate) fn event(&self, event: &ChatEvent) -> Vec<Frame> {
        match event {
            ChatEvent::Done => Vec::new(),
            other => vec![Frame::data(other.data(self.model))],
        }
    }
}
