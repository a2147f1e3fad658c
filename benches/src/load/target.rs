//! What is asked of whom, and what the answer has to be.

use std::fmt::Write as _;
use std::net::SocketAddr;

use proxyproof_mocks::wire::proxy_protocol::ProxyVersion;
use proxyproof_mocks::{PROBE_HEADER, ProbeId};
use serde::{Deserialize, Serialize};

use super::{Tls, http2};

/// One request, made ready, and the answer that counts as right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// Who is connected to.
    pub address: SocketAddr,
    /// Begins each connection, where the listener wants a PROXY header.
    pub proxy_protocol: Option<ProxyVersion>,
    /// Speaks TLS behind that header.
    pub tls: Option<Tls>,
    /// Sent once on each connection; a 101 has to answer it.
    pub upgrade: Option<Vec<u8>>,
    /// Speaks HTTP/2 with so many streams at once on each connection; HTTP/1.1 without.
    pub streams: Option<usize>,
    /// The request's head and body; its frames in HTTP/2, whose stream is filled in; on an upgraded connection whatever is asked
    /// there.
    #[serde(skip)]
    pub request: Vec<u8>,
    /// Where in the request the probe id is, if each has one of its own: those for streams of events.
    pub probe_at: Option<usize>,
    /// What the answer has to be.
    pub expected: Expected,
}

/// What an answer has to be; any other counts as an error, and gives no latency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expected {
    /// This status and this body, byte for byte.
    Whole {
        /// The status code.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// A 200 whose body is a stream of so many server-sent events.
    Events(u32),
    /// These bytes, of whatever protocol the connection was upgraded to.
    Exactly(Vec<u8>),
}

impl Target {
    /// A `GET` whose answer is a 200 with this body.
    #[must_use]
    pub fn get(address: SocketAddr, host: &str, target: &str, body: &[u8]) -> Self {
        Self {
            address,
            proxy_protocol: None,
            tls: None,
            upgrade: None,
            streams: None,
            probe_at: None,
            request: format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes(),
            expected: Expected::Whole {
                status: 200,
                body: body.to_vec(),
            },
        }
    }

    /// The same in HTTP/2 (RFC 9113), with so many streams at once on each connection.
    #[must_use]
    pub fn get_h2(
        address: SocketAddr,
        host: &str,
        target: &str,
        body: &[u8],
        streams: usize,
    ) -> Self {
        Self {
            streams: Some(streams),
            request: http2::request(http2::METHOD_GET, host, target, &[], b""),
            ..Self::get(address, host, target, body)
        }
    }

    /// A ping on a WebSocket (RFC 6455 section 5.5.2) that this path opens, and the pong to it.
    #[must_use]
    pub fn ping(address: SocketAddr, host: &str, target: &str, fields: &str) -> Self {
        // Four bytes, masked by zeros: the text stands as it is.
        const PING: &[u8] = b"\x89\x84\0\0\0\0ping";
        const PONG: &[u8] = b"\x8a\x04ping";
        let upgrade = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        Self {
            upgrade: Some(upgrade.into_bytes()),
            request: PING.to_vec(),
            expected: Expected::Exactly(PONG.to_vec()),
            ..Self::get(address, host, target, &[])
        }
    }

    /// A request with a body, and the answer it has to get.
    #[must_use]
    pub fn post(
        address: SocketAddr,
        host: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
        expected: Expected,
    ) -> Self {
        let probe = Probe::of(&expected);
        let mut head = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in probe.fields(fields) {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let length = body.len();
        let _ = write!(head, "Content-Length: {length}\r\n\r\n");
        let request = [head.as_bytes(), body].concat();
        Self {
            probe_at: probe.within(&request),
            request,
            expected,
            ..Self::get(address, host, target, &[])
        }
    }

    /// The same in HTTP/2, with so many streams at once on each connection; the body is one frame, of 16 KiB at most.
    #[must_use]
    pub fn post_h2(
        address: SocketAddr,
        host: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
        expected: Expected,
        streams: usize,
    ) -> Self {
        let probe = Probe::of(&expected);
        let fields: Vec<_> = probe.fields(fields).collect();
        let request = http2::request(http2::METHOD_POST, host, target, &fields, body);
        Self {
            streams: Some(streams),
            probe_at: probe.within(&request),
            request,
            expected,
            ..Self::get(address, host, target, &[])
        }
    }
}

/// What tells streams of events apart; other answers need not be.
struct Probe(Option<String>);

impl Probe {
    fn of(expected: &Expected) -> Self {
        let events = matches!(expected, Expected::Events(_));
        Self(events.then(|| ProbeId::fresh().to_string()))
    }

    fn fields<'a>(
        &'a self,
        fields: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let probe = self.0.as_deref().map(|probe| (PROBE_HEADER, probe));
        probe.into_iter().chain(fields.iter().copied())
    }

    fn within(&self, request: &[u8]) -> Option<usize> {
        memchr::memmem::find(request, self.0.as_deref()?.as_bytes())
    }
}
