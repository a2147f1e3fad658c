//! What a mock backend has to say itself; the server does the rest by the rules of Go's.

use std::time::Duration;

use super::{Exchange, Request, RespConnection};

/// What becomes of the connection after a request was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// What Go's server would do: finish the answer, then keep the connection or close it by its rules.
    Answered,
    /// Close in order (FIN) without finishing the answer; an unfinished chunked body stays unfinished.
    Close,
    /// Close with a reset (RST) without finishing the answer.
    Reset,
}

/// What differs between the Go programs that are mocked.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The most bytes of a head (Go's `MaxHeaderBytes`); 4096 more are let pass, as Go does.
    pub max_head: usize,
    /// How long a head may take from its first byte or, on a new connection, from accept (`ReadHeaderTimeout`); the
    /// connection is closed silently then.
    pub header_timeout: Option<Duration>,
    /// How long the first byte of a connection may take; the connection is closed silently then.
    pub sniff_timeout: Option<Duration>,
    /// Which protocols are told apart by a connection's first byte.
    pub protocols: Protocols,
    /// The status of a scripted answer to a WebSocket handshake that the program refuses.
    pub handshake_refusal: u16,
}

/// Which protocols an upstream tells apart by a connection's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/1 only.
    Http,
    /// RESP if the first byte is one of `*`, `$`, `+`, `-`, `:`, else HTTP/1.
    HttpOrResp,
}

impl Default for Rules {
    /// Go's defaults: 1 MiB, no timeouts, HTTP only.
    fn default() -> Self {
        Self {
            max_head: 1 << 20,
            header_timeout: None,
            sniff_timeout: None,
            protocols: Protocols::Http,
            handshake_refusal: 400,
        }
    }
}

/// A program behind the server: one value serves all connections at once.
pub trait Service: Send + Sync + 'static {
    /// Serves one request, as a Go handler does: what it writes to `exchange` is framed by the rules of Go's server.
    ///
    /// Runs on the connection's task; it is dropped half-way when the upstream is stopped. A client that goes away does
    /// not stop it: see [`Exchange::client_gone`].
    fn serve(
        &self,
        request: &Request,
        exchange: &mut Exchange,
    ) -> impl Future<Output = After> + Send;

    /// Serves one RESP connection until it ends; only with [`Protocols::HttpOrResp`].
    fn resp(&self, connection: RespConnection) -> impl Future<Output = ()> + Send {
        async move { drop(connection) }
    }
}
