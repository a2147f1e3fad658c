//! An upstream without rules of its own: it does what scripts and stubs say.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use super::{After, Exchange, Request, Rules, RunningUpstream, Server, Service};
use crate::ledger::Ledger;
use crate::wire::http1::Response;

/// An upstream that stands in for any program: what nobody scripted it answers with 200 and its own name, health checks
/// too, and a WebSocket handshake that nobody scripted it refuses.
#[derive(Debug)]
pub struct ScriptedUpstream {
    name: String,
    rules: Rules,
    ledger: Ledger,
    listen: SocketAddr,
}

impl ScriptedUpstream {
    /// One of this name, on an ephemeral loopback port, with a ledger of its own.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rules: Rules::default(),
            ledger: Ledger::new(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Refuses WebSocket handshakes with this status.
    #[must_use]
    pub fn refuses_handshakes_with(mut self, status: u16) -> Self {
        self.rules.handshake_refusal = status;
        self
    }

    /// Records in this ledger.
    #[must_use]
    pub fn ledger(mut self, ledger: Ledger) -> Self {
        self.ledger = ledger;
        self
    }

    /// Listens on this address; port 0 for an ephemeral one.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Binds and serves on the caller's runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self) -> io::Result<RunningUpstream> {
        let service = ByName {
            name: self.name.clone(),
            handshake_refusal: self.rules.handshake_refusal,
        };
        Server::new(&self.name, service)
            .rules(self.rules)
            .ledger(self.ledger)
            .listen(self.listen)
            .start()
            .await
    }
}

/// Says who it is.
#[derive(Debug)]
struct ByName {
    name: String,
    handshake_refusal: u16,
}

impl Service for ByName {
    async fn serve(&self, request: &Request, exchange: &mut Exchange) -> After {
        let status = match request.has_token("Connection", "upgrade") {
            true if request.first("Upgrade").is_some() => self.handshake_refusal,
            _ => 200,
        };
        let answer = Response::new(status).field("Content-Type", "text/plain; charset=utf-8");
        exchange.respond(answer.body(self.name.clone())).await
    }
}
