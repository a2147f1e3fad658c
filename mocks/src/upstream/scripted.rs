//! An upstream without rules of its own: it does what scripts and stubs say.

use super::{After, Exchange, Request, Rules, Server, Service};
use crate::wire::http1::Response;

/// Stands in for any program: what nobody scripted it answers with 200 and its own name, health checks too, and a WebSocket
/// handshake that nobody scripted it refuses.
#[derive(Debug)]
pub struct Scripted {
    name: String,
    handshake_refusal: u16,
}

impl Scripted {
    /// An upstream of this name that refuses WebSocket handshakes with this status.
    #[must_use]
    pub fn server(name: &str, handshake_refusal: u16) -> Server<Self> {
        let service = Self {
            name: name.to_owned(),
            handshake_refusal,
        };
        Server::new(name, service).rules(Rules {
            handshake_refusal,
            ..Rules::default()
        })
    }
}

impl Service for Scripted {
    async fn serve(&self, request: &Request, exchange: &mut Exchange) -> After {
        let status = match request.has_token("Connection", "upgrade") {
            true if request.first("Upgrade").is_some() => self.handshake_refusal,
            _ => 200,
        };
        let answer = Response::new(status).field("Content-Type", "text/plain; charset=utf-8");
        exchange.respond(answer.body(self.name.clone())).await
    }
}
