//! A stream whose first event was sent.

use proxyproof_harness::probe::{Connection, Exchange};
use proxyproof_harness::{Ask, HarnessError, Patience, Request};
use proxyproof_mocks::{EventFraming, Script};

use crate::lock_step::streaming_request;

/// A stream that has begun.
pub(crate) struct BegunStream {
    pub(crate) request: Request,
    pub(crate) exchange: Exchange,
    // Dropped behind its exchange.
    pub(crate) connection: Connection,
}

impl BegunStream {
    /// Asks for a stream on a new connection, and waits for its first event, `data: 1`; `goes_on` says what the upstream
    /// does behind it.
    pub(crate) async fn open(
        ask: &Ask<'_>,
        goes_on: impl FnOnce(Script) -> Script,
    ) -> Result<Self, HarnessError> {
        let request = streaming_request(ask);
        let begun = Script::new().read_body().sse_head(EventFraming::Chunked);
        ask.script(&request, goes_on(begun.event("1")));
        let connection = ask.client().connect().await?;
        let exchange = connection.open(&request).await?;
        let mut exchange = exchange.patience(Patience::LOCK_STEP);
        // Whether events come one by one is another scenario's: one that does not come is waited out.
        let _ = exchange.next().await;
        Ok(Self {
            request,
            exchange,
            connection,
        })
    }
}
