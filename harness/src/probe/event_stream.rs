//! Events of an answer, one by one: [`EventStream`].

use std::collections::VecDeque;

use super::answer::Answer;
use super::error::ProbeError;
use super::exchange::Exchange;
use super::sse::{SseDecoder, SseEvent};

/// An exchange whose body is `text/event-stream`, read in lock-step with the upstream that writes it.
#[derive(Debug)]
pub struct EventStream {
    exchange: Exchange,
    decoder: SseDecoder,
    ready: VecDeque<SseEvent>,
}

impl EventStream {
    /// Decodes the rest of an exchange's body.
    #[must_use]
    pub fn of(exchange: Exchange) -> Self {
        Self {
            exchange,
            decoder: SseDecoder::new(),
            ready: VecDeque::new(),
        }
    }

    /// Waits for the answer's head, which must not wait for the first event.
    ///
    /// # Errors
    /// As [`Exchange::head`].
    pub async fn head(&mut self) -> Result<Answer, ProbeError> {
        self.exchange.head().await
    }

    /// Waits for the next event; `None` at the end of the body, however it ends.
    ///
    /// # Errors
    /// As [`Exchange::next`].
    pub async fn next(&mut self) -> Result<Option<SseEvent>, ProbeError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let Some(piece) = self.exchange.next().await? else {
                return Ok(None);
            };
            self.ready.extend(self.decoder.feed(piece.at, &piece.bytes));
        }
    }

    /// Waits for the end of the body and gives the events that were not taken yet.
    ///
    /// # Errors
    /// As [`Exchange::next`].
    pub async fn rest(&mut self) -> Result<Vec<SseEvent>, ProbeError> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            events.push(event);
        }
        Ok(events)
    }

    /// The decoder: comments, and whether the stream broke off within an event.
    #[must_use]
    pub fn decoder(&self) -> &SseDecoder {
        &self.decoder
    }

    /// The exchange under it.
    pub fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// Gives the exchange back.
    #[must_use]
    pub fn into_exchange(self) -> Exchange {
        self.exchange
    }
}
