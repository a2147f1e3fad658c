//! What the proxy serves, under which limits.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::defect::Defects;
use crate::document;
use crate::error::ReferenceError;
use crate::router::Router;
use crate::tls::Tls;

/// What the proxy serves: a configuration that was found right.
#[derive(Debug)]
pub(crate) struct Site {
    /// Worker threads, each a runtime with connections and pools of its own.
    pub(crate) threads: usize,
    /// Host names that are served, lower-case, without port.
    pub(crate) server_names: Vec<Box<str>>,
    /// Largest request body in bytes.
    pub(crate) body_limit: u64,
    /// How upstreams are told that clients reach the site.
    pub(crate) identity: Identity,
    /// Limits of message heads.
    pub(crate) head: HeadLimits,
    /// How long each wait may last.
    pub(crate) timeouts: Timeouts,
    /// Where connections are accepted.
    pub(crate) listeners: Vec<Arc<Listen>>,
    /// Where requests go.
    pub(crate) upstreams: Vec<UpstreamAddress>,
    /// Which upstream owns a path.
    pub(crate) router: Router,
    /// Bugs switched on.
    pub(crate) defects: Defects,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Where it is bound.
    pub(crate) address: SocketAddr,
    /// Whether every connection must begin with a PROXY protocol header.
    pub(crate) proxy_protocol: bool,
    /// What is spoken on it.
    pub(crate) spoken: Spoken,
}

/// What is spoken on a listener's connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// One protocol from the first byte.
    Plain(Protocol),
    /// What ALPN chooses inside TLS.
    Tls(Arc<Tls>),
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// HTTP/1.1 and 1.0.
    H1,
    /// HTTP/2; without TLS with prior knowledge.
    H2,
}

impl Protocol {
    /// Its name in ALPN (RFC 7301, RFC 9113 section 3.2).
    pub(crate) const fn alpn(self) -> &'static [u8] {
        match self {
            Self::H1 => b"http/1.1",
            Self::H2 => b"h2",
        }
    }
}

/// One upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamAddress {
    /// Its name in the configuration.
    pub(crate) name: Box<str>,
    /// Where it listens: servers that take requests at any time, in turn.
    pub(crate) servers: Vec<SocketAddr>,
    /// Servers that get requests only while none of those can be reached.
    pub(crate) backups: Vec<SocketAddr>,
    /// Idle connections that each worker keeps.
    pub(crate) pool: usize,
}

/// How clients reach the site, whatever this proxy's own listeners are: something in front may end TLS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Identity {
    /// The scheme of the site's URLs.
    pub(crate) scheme: Scheme,
    /// The port of the site's URLs, as text: it is written with every request.
    #[serde(deserialize_with = "port")]
    pub(crate) port: Box<str>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            scheme: Scheme::Https,
            port: "443".into(),
        }
    }
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// The scheme as URLs have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Limits of message heads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HeadLimits {
    /// Bytes of a request head; more is answered with 431. At least 8192, a bound of hyper.
    pub(crate) request_bytes: usize,
    /// Header fields of an HTTP/1 request; more is answered with 431.
    pub(crate) request_fields: usize,
    /// Bytes of a request target; more is answered with 414.
    pub(crate) target_bytes: usize,
    /// Bytes of a response head; more is answered with 502.
    pub(crate) response_bytes: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            request_bytes: 64 << 10,
            request_fields: 100,
            target_bytes: 8 << 10,
            response_bytes: 64 << 10,
        }
    }
}

/// How long each wait may last; milliseconds in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Timeouts {
    /// An upstream accepting a connection.
    #[serde(rename = "connect_ms", deserialize_with = "milliseconds")]
    pub(crate) connect: Duration,
    /// Silence of an upstream that owes bytes, and of a tunnel both ways.
    #[serde(rename = "read_ms", deserialize_with = "milliseconds")]
    pub(crate) read: Duration,
    /// A peer, client or upstream, that takes no bytes.
    #[serde(rename = "send_ms", deserialize_with = "milliseconds")]
    pub(crate) send: Duration,
    /// A PROXY header, and a request head from its first byte.
    #[serde(rename = "header_ms", deserialize_with = "milliseconds")]
    pub(crate) header: Duration,
    /// Silence of a client that owes bytes of a request body.
    #[serde(rename = "body_ms", deserialize_with = "milliseconds")]
    pub(crate) body: Duration,
    /// A client connection without a request, and an unused upstream connection.
    #[serde(rename = "idle_ms", deserialize_with = "milliseconds")]
    pub(crate) idle: Duration,
    /// Everything in flight after SIGTERM.
    #[serde(rename = "drain_ms", deserialize_with = "milliseconds")]
    pub(crate) drain: Duration,
    /// Reading on after a refusal, so that a client that still sends can read the answer.
    #[serde(rename = "linger_ms", deserialize_with = "milliseconds")]
    pub(crate) linger: Duration,
    /// An upstream's word on `Expect: 100-continue`, before the body is asked for anyway.
    #[serde(rename = "expect_ms", deserialize_with = "milliseconds")]
    pub(crate) expect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(3600),
            send: Duration::from_secs(3600),
            header: Duration::from_secs(60),
            body: Duration::from_secs(3600),
            idle: Duration::from_secs(75),
            drain: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            expect: Duration::from_secs(1),
        }
    }
}

impl Site {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, ReferenceError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ReferenceError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        document::site(&text).map_err(|mistake| mistake.located(path, &text))
    }
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    let port = NonZeroU16::deserialize(deserializer)?;
    Ok(port.to_string().into_boxed_str())
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match u64::deserialize(deserializer)? {
        wait @ ..=LONGEST_WAIT => Ok(Duration::from_millis(wait)),
        wait => Err(serde::de::Error::custom(format_args!(
            "{wait} ms is longer than a year"
        ))),
    }
}

/// A year in milliseconds; keeps deadlines far from the end of the clock.
const LONGEST_WAIT: u64 = 365 * 24 * 3600 * 1000;
