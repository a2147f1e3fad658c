//! Whether it is our candidate that answers: a request through it arrives in our ledger.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxyproof_mocks::dial;
use proxyproof_mocks::{Ledger, PROBE_HEADER, ProbeId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::deployment::ProxyProtocol;
use crate::patience::{Patience, RanOut};
use crate::probe::{Stream, Trust, UNNAMED_ADDRESS};
use crate::protocol::Protocol;

/// One listener that has to become ready.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
    pub(crate) proxy_protocol: ProxyProtocol,
    /// Whom its certificate comes from, where the candidate ends TLS itself.
    pub(crate) trust: Option<Trust>,
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) wanted: Wanted,
}

/// What it takes to be ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// A request has arrived at an upstream.
    #[default]
    Passing,
    /// It takes connections: whether anything passes is for others to find out.
    Connecting,
}

/// What came of asking once.
enum Knock {
    Arrived,
    /// It answered, and nothing arrived.
    AnsweredItself(String),
    /// It took the connection, and gave no answer.
    Silent(String),
    /// Nobody takes connections.
    Unreachable(String),
}

impl Door {
    /// Knocks until a request has arrived, or until it is plain that this candidate passes none on.
    ///
    /// A connection alone proves nothing: another program may own the port, or the candidate may accept and not yet
    /// know its upstreams.
    pub(crate) async fn opened(&self, ledger: &Ledger, patience: Patience) -> Result<(), RanOut> {
        let awaited = format!("a request through the {} listener to arrive", self.protocol);
        // The clock runs from the first answer of its own: one that still starts may say so for a moment.
        let first = OnceLock::new();
        let look = || async {
            let now = Instant::now();
            let (seen, enough) = match self.knock(ledger).await {
                Knock::Arrived => return Ok(()),
                Knock::AnsweredItself(seen) => (seen, OWN_ANSWERS),
                Knock::Silent(seen) => (seen, SILENCE),
                Knock::Unreachable(seen) => return Err(seen),
            };
            let since = now.duration_since(*first.get_or_init(|| now));
            let settled = since >= enough.scaled();
            match self.wanted == Wanted::Connecting && settled {
                true => Ok(()),
                false => Err(seen),
            }
        };
        patience.eventually(&awaited, look).await
    }

    async fn knock(&self, ledger: &Ledger) -> Knock {
        let probe = ProbeId::fresh();
        let knocking = KNOCK.within("an answer", self.ask(probe)).await;
        if !ledger.arrivals(probe).is_empty() {
            return Knock::Arrived;
        }
        match knocking {
            Ok(Ok(answer)) => {
                Knock::AnsweredItself(format!("answered `{answer}`, and nothing arrived"))
            }
            Ok(Err(reason)) if reason.starts_with(NOT_CONNECTED) => Knock::Unreachable(reason),
            Ok(Err(reason)) => Knock::Silent(reason),
            Err(_ran_out) => Knock::Silent("connected, no answer, and nothing arrived".to_owned()),
        }
    }

    /// The status line, or why there is none.
    async fn ask(&self, probe: ProbeId) -> Result<String, String> {
        let header = self.proxy_protocol.version();
        let from = header.is_none().then_some(UNNAMED_ADDRESS);
        let connecting = dial(self.address, from).await;
        let mut stream = connecting.map_err(|error| format!("{NOT_CONNECTED}{error}"))?;
        let header = header.map_or_else(Vec::new, |version| version.encode(CLIENT, self.address));
        let greeting = stream.write_all(&header).await;
        greeting.map_err(|error| format!("send: {error}"))?;
        let stream = match &self.trust {
            Some(trust) => {
                let alpn = [self.protocol.alpn().as_bytes().to_vec()];
                let secured = trust.connect(stream, &self.host, &alpn).await;
                Stream::Tls(Box::new(secured.map_err(|error| format!("TLS: {error}"))?))
            }
            None => Stream::Plain(stream),
        };
        match self.protocol.listener() {
            Protocol::H2 => self.ask_http_two(stream, probe).await,
            _ => self.ask_http_one(stream, probe).await,
        }
    }

    async fn ask_http_one(&self, mut stream: Stream, probe: ProbeId) -> Result<String, String> {
        let Self { host, target, .. } = self;
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\n{PROBE_HEADER}: {probe}\r\nConnection: close\r\n\r\n"
        );
        let sending = stream.write_all(request.as_bytes()).await;
        sending.map_err(|error| format!("send: {error}"))?;
        let mut answer = Vec::new();
        while !answer.contains(&b'\n') && answer.len() < LONGEST_LINE {
            match stream.read_buf(&mut answer).await {
                Ok(0) => return Err("closed without an answer".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("receive: {error}")),
            }
        }
        let line = String::from_utf8_lossy(&answer);
        Ok(line.lines().next().unwrap_or_default().to_owned())
    }

    async fn ask_http_two(&self, stream: Stream, probe: ProbeId) -> Result<String, String> {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| format!("HTTP/2: {error}"))?;
        let request = http::Request::builder()
            .uri(format!("http://{}{}", self.host, self.target))
            .header(PROBE_HEADER, probe.to_string())
            .body(Empty::<Bytes>::new())
            .map_err(|error| format!("a request for `{}`: {error}", self.target))?;
        let answering = sender.send_request(request);
        tokio::select! {
            answer = answering => match answer {
                Ok(answer) => Ok(answer.status().to_string()),
                Err(error) => Err(format!("HTTP/2: {error}")),
            },
            ended = connection => Err(match ended {
                Ok(()) => "closed without an answer".to_owned(),
                Err(error) => format!("HTTP/2: {error}"),
            }),
        }
    }
}

/// A client that no rule about local addresses can mean (RFC 5737).
const CLIENT: SocketAddr = SocketAddr::V4(std::net::SocketAddrV4::new(
    std::net::Ipv4Addr::new(203, 0, 113, 1),
    40_000,
));
/// One knock; a candidate that swallowed a connection while it started is asked again.
const KNOCK: Patience = Patience::new("knock", std::time::Duration::from_secs(2));
const LONGEST_LINE: usize = 8 << 10;
/// What a failure to connect begins with.
const NOT_CONNECTED: &str = "connect: ";
/// Answers of its own for so long are no matter of starting any more.
const OWN_ANSWERS: Patience = Patience::new("own answers", std::time::Duration::from_secs(2));
/// So is silence.
const SILENCE: Patience = Patience::new("silence", std::time::Duration::from_secs(5));
