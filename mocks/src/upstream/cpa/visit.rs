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
    /// The key that let it in; empty where none is asked for.
    pub(crate) api_key: String,
}

impl Visit<'_> {
    /// Answers it.
    pub(crate) async fn answer(&self, captured: Captured, exchange: &mut Exchange) -> After {
        match self.endpoint {
            Endpoint::ResponsesSocket => {
                serve_responses_socket(self.state, self.request, &self.asker(), exchange).await
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

    /// Who asks, for the usage record.
    pub(crate) fn asker(&self) -> Asker {
        let request = self.request;
        // A route with a parameter is recorded as it was asked for.
        let route = match self.pattern.contains(['*', ':']) {
            true => request.path(),
            false => self.pattern.into(),
        };
        let user_agent = request.first("User-Agent").unwrap_or_default();
        Asker {
            client_ip: request.peer().ip().to_canonical().to_string(),
            x_forwarded_for: request.all("X-Forwarded-For").join(", "),
            user_agent: user_agent.into_owned(),
            api_key: self.api_key.clone(),
            endpoint: format!("{} {route}", request.method()),
        }
    }
}
