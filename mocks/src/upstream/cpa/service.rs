//! CPA behind the server: what comes before and after routing.

use super::admission::{admitted, nowhere, safe_mode};
use super::answer::empty;
use super::capture::capture;
use super::configuration::Configuration;
use super::redirect::redirect;
use super::resp::serve_resp;
use super::route::{Routed, route};
use super::state::State;
use super::visit::Visit;
use crate::upstream::{After, Exchange, Request, RespConnection, Service};

/// The CPA service.
#[derive(Debug)]
pub(crate) struct CpaService {
    state: State,
}

impl CpaService {
    pub(crate) fn new(configuration: Configuration) -> Self {
        Self {
            state: State::new(configuration),
        }
    }
}

impl Service for CpaService {
    async fn serve(&self, request: &Request, exchange: &mut Exchange) -> After {
        serve(&self.state, request, exchange).await
    }

    async fn resp(&self, connection: RespConnection) {
        serve_resp(&self.state, connection).await;
    }
}

/// Routes first, for a trailing slash is redirected before all middleware; then log, CORS, safe mode, and the route.
async fn serve(state: &State, request: &Request, exchange: &mut Exchange) -> After {
    let path = request.path();
    let routed = route(request.method(), &path, state.manages());
    if let Routed::Redirect { path } = &routed {
        return exchange.respond(redirect(request, path)).await;
    }
    let captured = capture(request, &path, exchange).await;
    if request.method() == "OPTIONS" {
        return exchange.respond(empty(204)).await;
    }
    if let Some(refusal) = safe_mode(state, request, &path) {
        return exchange.respond(refusal).await;
    }
    let Routed::Found {
        endpoint,
        parameter,
        pattern,
    } = routed
    else {
        return exchange.respond(nowhere(state, request, &path)).await;
    };
    let api_key = match admitted(state, request, endpoint, &path) {
        Ok(key) => key,
        Err(refusal) => return exchange.respond(*refusal).await,
    };
    let visit = Visit {
        state,
        request,
        endpoint,
        parameter: &parameter,
        pattern,
        api_key,
    };
    visit.answer(captured, exchange).await
}
