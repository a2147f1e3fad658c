//! What a benchmark asks, as data.

use std::path::Path;
use std::time::Duration;

use proxyproof_harness::document::{self, DocumentError};
use proxyproof_harness::{HarnessError, Protocol};
use serde::{Deserialize, Serialize};

use crate::load::Arrivals;
use crate::placement::Placement;

/// A benchmark; read from TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name in reports.
    pub name: String,
    /// One sentence about it.
    pub about: String,
    /// Which cores it runs on.
    #[serde(default)]
    pub placement: Placement,
    /// How often every contender gets its turn.
    pub rounds: u32,
    /// How long each turn is measured, in milliseconds.
    pub round_ms: u64,
    /// How long it is asked before that, unmeasured, in milliseconds.
    pub warmup_ms: u64,
    /// After so many rounds every process is started anew: memory layout is chance, and must not be the result.
    pub fresh_every: u32,
    /// What is asked in each turn.
    #[serde(rename = "measure")]
    pub measures: Vec<Measure>,
}

/// One load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its name in reports.
    pub name: String,
    /// How many keepalive connections.
    pub connections: usize,
    /// Requests a second, at equal distances; without it every connection asks again once it is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Whether the distances are exponentially distributed instead.
    #[serde(default)]
    pub poisson: bool,
    /// What is asked for.
    #[serde(default)]
    pub ask: Ask,
    /// Which way.
    #[serde(default)]
    pub through: Through,
    /// What is spoken; the upstream, and with it the direct path, has HTTP/1.1 only.
    #[serde(default)]
    pub protocol: Http,
    /// In HTTP/2: how many streams at once on each connection; the direct path has as many connections instead.
    #[serde(default = "one")]
    pub streams: usize,
    /// Of uploads: the size of the body, in bytes.
    #[serde(default)]
    pub body: usize,
    /// Of events: how far apart they are, in microseconds; the 20 ms of a usual completion without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_interval_us: Option<u64>,
    /// How many more routes the site has than the deployment says.
    #[serde(default)]
    pub routes: usize,
}

fn one() -> usize {
    1
}

/// The versions of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Http {
    /// HTTP/1.1.
    #[default]
    H1,
    /// HTTP/2: with prior knowledge at the proxy's own listener, by ALPN through the front.
    H2,
}

/// Which way requests go through a proxy; the direct path is the upstream's own listener always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// To the proxy's own listener, with the PROXY header that it wants.
    #[default]
    Listener,
    /// Over TLS to the tunnel front, which passes bytes on to the proxy, with a PROXY header before them.
    Front,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// `GET /healthz`: a small answer.
    #[default]
    Health,
    /// A chat completion as a stream of server-sent events, 20 ms apart.
    Events,
    /// A ping on an open WebSocket, and the pong to it.
    RoundTrips,
    /// A `POST` with a body, answered once the upstream has read all of it.
    Upload,
    /// Nothing, on streams of server-sent events that have begun: what holding them costs.
    IdleStreams,
    /// Nothing, on open WebSockets.
    IdleSockets,
}

impl Ask {
    /// Whether connections are held, and nothing is asked.
    #[must_use]
    pub fn holds(self) -> bool {
        matches!(self, Self::IdleStreams | Self::IdleSockets)
    }
}

impl Profile {
    /// Names of the embedded profiles.
    pub const EMBEDDED: [&str; 9] = [
        "quick",
        "keepalive",
        "streaming",
        "websocket",
        "scale",
        "chain",
        "http2",
        "uploads",
        "idle",
    ];

    /// Reads an embedded profile by name, or a file by path.
    ///
    /// # Errors
    /// [`HarnessError::Unreadable`] when there is no such file, [`HarnessError::Document`] with the place when it is wrong.
    pub fn named(name: &str) -> Result<Self, HarnessError> {
        let text = match name {
            "quick" => QUICK.to_owned(),
            "keepalive" => KEEPALIVE.to_owned(),
            "streaming" => STREAMING.to_owned(),
            "websocket" => WEBSOCKET.to_owned(),
            "scale" => SCALE.to_owned(),
            "chain" => CHAIN.to_owned(),
            "http2" => HTTP2.to_owned(),
            "uploads" => UPLOADS.to_owned(),
            "idle" => IDLE.to_owned(),
            file => std::fs::read_to_string(Path::new(file)).map_err(|cause| {
                let known = Self::EMBEDDED.join(", ");
                HarnessError::Unreadable {
                    file: name.to_owned(),
                    // Who gives no path has most likely mistyped a name.
                    cause: match name.contains(['/', '.']) {
                        true => cause,
                        false => std::io::Error::new(
                            cause.kind(),
                            format!("no profile of that name ({known}), and no such file"),
                        ),
                    },
                }
            })?,
        };
        Self::parse(name, &text)
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`HarnessError::Document`] with the place where it is unreadable or makes no sense.
    pub fn parse(file: &str, text: &str) -> Result<Self, HarnessError> {
        let profile: Self = document::parse(file, text)?;
        match profile.nonsense() {
            None => Ok(profile),
            Some(message) => Err(DocumentError::about(file, text, message).into()),
        }
    }

    /// What cannot be measured.
    fn nonsense(&self) -> Option<String> {
        let positive = |name: &str, value: u64| {
            (value == 0).then(|| format!("`{name}` is 0: nothing would be measured"))
        };
        positive("rounds", self.rounds.into())
            .or_else(|| positive("round_ms", self.round_ms))
            .or_else(|| positive("fresh_every", self.fresh_every.into()))
            .or_else(|| {
                self.measures
                    .is_empty()
                    .then(|| "it has no `[[measure]]`".to_owned())
            })
            .or_else(|| self.measures.iter().find_map(Measure::nonsense))
    }

    /// How long it takes with so many contenders, the direct path among them.
    #[must_use]
    pub fn takes(&self, contenders: usize) -> Duration {
        let turn = Duration::from_millis(self.round_ms + self.warmup_ms);
        turn * self.rounds * u32::try_from(contenders * self.measures.len()).unwrap_or(u32::MAX)
    }
}

impl Measure {
    /// `GET /healthz` over HTTP/1.1 on so many connections, each again once it is answered.
    #[must_use]
    pub fn new(name: impl Into<String>, connections: usize) -> Self {
        Self {
            name: name.into(),
            connections,
            rate: None,
            poisson: false,
            ask: Ask::default(),
            through: Through::default(),
            protocol: Http::default(),
            streams: 1,
            body: 0,
            event_interval_us: None,
            routes: 0,
        }
    }

    /// Where a proxy is asked.
    pub(crate) fn way(&self) -> Protocol {
        match (self.through, self.protocol) {
            (Through::Listener, Http::H1) => Protocol::H1,
            (Through::Listener, Http::H2) => Protocol::H2,
            (Through::Front, Http::H1) => Protocol::ChainH1,
            (Through::Front, Http::H2) => Protocol::ChainH2,
        }
    }

    /// Its load model; the seed is the round's, so that every contender gets the same moments.
    pub(crate) fn arrivals(&self, round: u32) -> Arrivals {
        match self.rate {
            None => Arrivals::Closed,
            Some(rate) if self.poisson => Arrivals::Poisson(rate, round.into()),
            Some(rate) => Arrivals::Constant(rate),
        }
    }

    fn nonsense(&self) -> Option<String> {
        let name = &self.name;
        if self.connections == 0 {
            return Some(format!("measure `{name}` has no connections"));
        }
        let needless = |what: &str| Some(format!("measure `{name}`: {what}"));
        match (self.protocol, self.ask) {
            (Http::H2, Ask::Health | Ask::Events | Ask::IdleStreams) => {}
            (Http::H2, _) => {
                return needless("over `h2` only `health`, `events` and `idle_streams` are asked");
            }
            (Http::H1, _) if self.streams != 1 => {
                return needless("`streams` are those of `protocol = \"h2\"`");
            }
            _ => {}
        }
        if !(1..=MAX_STREAMS).contains(&self.streams) {
            return Some(format!(
                "measure `{name}`: `streams` are 1 to {MAX_STREAMS}"
            ));
        }
        if self.body > MAX_BODY {
            return Some(format!(
                "measure `{name}`: a `body` has at most {MAX_BODY} bytes"
            ));
        }
        if self.body > 0 && self.ask != Ask::Upload {
            return needless("a `body` is that of `ask = \"upload\"`");
        }
        if self.event_interval_us.is_some() && self.ask != Ask::Events {
            return needless("`event_interval_us` is that of `ask = \"events\"`");
        }
        if self.rate.is_some() && self.ask.holds() {
            return needless("nothing is asked on idle connections, so they have no `rate`");
        }
        if self.routes > MAX_ROUTES {
            return Some(format!("measure `{name}`: at most {MAX_ROUTES} `routes`"));
        }
        match self.rate {
            None if self.poisson => Some(format!("measure `{name}` has `poisson` and no `rate`")),
            Some(rate) if !(MIN_RATE..=MAX_RATE).contains(&rate) => Some(format!(
                "measure `{name}`: a `rate` is {MIN_RATE} to {MAX_RATE} requests a second"
            )),
            _ => None,
        }
    }
}

/// What servers allow at once unless they are told otherwise (NGINX: 128).
const MAX_STREAMS: usize = 100;
/// The deployment's limit, 100 MiB.
const MAX_BODY: usize = 100 << 20;
/// More than any site has.
const MAX_ROUTES: usize = 100_000;
/// Slower than this, a round would see no request.
const MIN_RATE: f64 = 1.0;
/// Faster than one thread can send.
const MAX_RATE: f64 = 200_000.0;

const QUICK: &str = include_str!("../profiles/quick.toml");
const KEEPALIVE: &str = include_str!("../profiles/keepalive.toml");
const STREAMING: &str = include_str!("../profiles/streaming.toml");
const WEBSOCKET: &str = include_str!("../profiles/websocket.toml");
const SCALE: &str = include_str!("../profiles/scale.toml");
const CHAIN: &str = include_str!("../profiles/chain.toml");
const HTTP2: &str = include_str!("../profiles/http2.toml");
const UPLOADS: &str = include_str!("../profiles/uploads.toml");
const IDLE: &str = include_str!("../profiles/idle.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_profiles_are_read_under_their_names() {
        for name in Profile::EMBEDDED {
            assert_eq!(Profile::named(name).unwrap().name, name);
        }
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        for (before, after, word) in [
            ("rounds = 8", "rounds = 0", "rounds"),
            ("rate = 1000", "rate = 1e9", "rate"),
            ("connections = 32", "connections = 0", "connections"),
            ("connections = 32", "connections = 32\nstreams = 4", "h2"),
            ("connections = 32", "connections = 32\nbody = 1", "upload"),
            (
                "connections = 32",
                "connections = 32\nask = \"upload\"\nprotocol = \"h2\"",
                "health",
            ),
            (
                "connections = 32",
                "connections = 32\nprotocol = \"h2\"\nstreams = 0",
                "streams",
            ),
            (
                "connections = 32",
                "connections = 32\nevent_interval_us = 5",
                "events",
            ),
            (
                "connections = 32",
                "connections = 32\nroutes = 1000000",
                "routes",
            ),
            ("rate = 1000", "rate = 1000\nask = \"idle_sockets\"", "idle"),
            ("rounds = 8", "rounds = 8\nround = 1", "round"),
        ] {
            let text = QUICK.replacen(before, after, 1);
            assert_ne!(text, QUICK, "{before}");
            let error = Profile::parse("mine.toml", &text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
