//! One request that was let in.

use bytes::Bytes;

use super::asked::BODY_LIMIT;
use super::capture::Captured;
use super::management::call as manage;
use super::route::{Endpoint, ManagementCall};
use super::socket::{serve_relay_socket, serve_responses_socket};
use super::state::State;
use super::usage::Asker;
use crate::upstream::{After, Exchange, Request};

/// A request that was let in, and where it goes.
pub(crate) struct Visit<'a> {
    pub(crate) state: &'a State,
    pub(crate) request: &'a Request,
    pub(crate) endpoint: Endpoint,
    /// What the route's parameter matched.
    pub(crate) parameter: &'a str,
    /// The route as it was registered.
    pub(crate) pattern: &'static str,
    pub(crate) asker: Asker,
}

impl Visit<'_> {
    /// Answers it.
    pub(crate) async fn answer(&self, captured: Captured, exchange: &mut Exchange) -> After {
        match self.endpoint {
            Endpoint::ResponsesSocket => {
                serve_responses_socket(self.state, self.request, &self.asker, exchange).await
            }
            Endpoint::RelaySocket => serve_relay_socket(self.state, self.request, exchange).await,
            Endpoint::Management(call) => self.managed(call, captured, exchange).await,
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Messages
            | Endpoint::CountTokens
            | Endpoint::Responses
            | Endpoint::Compact
            | Endpoint::GeminiAction
            | Endpoint::Images
            | Endpoint::Interactions
            | Endpoint::Unprovided => self.ask(captured, exchange).await,
            _ => exchange.respond(self.page()).await,
        }
    }

    async fn managed(
        &self,
        call: ManagementCall,
        captured: Captured,
        exchange: &mut Exchange,
    ) -> After {
        let body = match captured.body {
            Some(body) => body,
            None if self.request.method() == "GET" => Bytes::new(),
            // An unreadable body is an invalid one, as an empty one is.
            None => exchange.read_body(BODY_LIMIT).await.unwrap_or_default(),
        };
        let answer = manage(self.state, call, self.pattern, self.request, &body);
        exchange.respond(answer).await
    }
}
