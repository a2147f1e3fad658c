//! Where the site is asked: its listeners, and what stands in front of them.

use std::collections::BTreeMap;

use proxyproof_oracle::location::{
    Answer, Listener, Protocol as Spoken, ProxyProtocol as Header, Request, Transport,
};
use proxyproof_oracle::setting::{Scope, Setting};

use super::reading::Reading;
use crate::candidate::own::address;
use crate::candidate::own::copy::USUAL_PORT;
use crate::deployment::{Fallback, Front, ProxyProtocol, PublishedListener};
use crate::document::DocumentError;
use crate::promise::Source;
use crate::protocol::Protocol;

/// Where the site is asked.
pub(super) struct Listening {
    pub(super) front: Front,
    pub(super) listeners: BTreeMap<Protocol, PublishedListener>,
    /// Who wants other hosts refused.
    pub(super) others_refused: Source,
    /// Clients speak TLS, to the proxy or to what stands in front of it.
    pub(super) is_secure: bool,
    /// The port that clients see, where the proxy is what they connect to.
    pub(super) port: Option<u16>,
    /// `site.conf:3`, `site.conf:4`.
    places: Vec<String>,
}

/// One way to write a listener of the server.
struct Way {
    /// As the copy has it: `0.0.0.0:443`.
    written: String,
    place: String,
    listener: Listener,
}

impl Way {
    fn speaks(&self, protocol: Protocol) -> bool {
        self.listener.protocols.contains(&match protocol {
            Protocol::H2 => Spoken::Http2,
            _ => Spoken::Http1,
        })
    }

    fn wants_header(&self) -> bool {
        self.listener.proxy_protocol == Header::Required
    }
}

impl Reading<'_> {
    /// The listeners of the server that are to be asked: those with TLS, if it has any.
    pub(super) fn listening(&self) -> Result<Listening, DocumentError> {
        let mut ways = self.ways_in();
        let said = &self.said.listeners;
        ways.retain(|way| way.listener.transport == Transport::Stream);
        if !said.is_empty() {
            ways.retain(|way| said.iter().any(|(_, said)| address(said) == way.written));
        }
        let front = self.said.front.unwrap_or_else(|| self.front(&ways));
        let by_front = |way: &&Way| match front {
            Front::None => way.listener.tls == ways.iter().any(|one| one.listener.tls),
            // The front has ended TLS.
            Front::Tls | Front::Tunnel => !way.listener.tls,
        };
        let open: Vec<&Way> = ways.iter().filter(by_front).collect();
        let first = |protocol: Protocol| {
            let named = said.iter().find(|(one, _)| *one == protocol);
            let mut open = open.iter().filter(|way| way.speaks(protocol));
            match named {
                Some((_, said)) => open.find(|way| way.written == address(said)),
                // One for this protocol alone is meant for it.
                None => open
                    .clone()
                    .find(|way| way.listener.protocols.len() == 1)
                    .or(open.next()),
            }
        };
        let ways: Vec<(Protocol, &Way)> = Protocol::DIRECT
            .into_iter()
            .filter_map(|protocol| Some((protocol, *first(protocol)?)))
            .collect();
        let Some((_, main)) = ways.first() else {
            let server = self.line(self.site().servers[self.server].place);
            return Err(self
                .own
                .main
                .lacks(format!(
                    "the server at {server} has no listener that clients could ask"
                ))
                .help(
                    "`listen` with an address and a port; `--front` says what stands before it",
                ));
        };
        let tls = main.listener.tls;
        Ok(Listening {
            front,
            is_secure: tls || front != Front::None,
            port: (front == Front::None)
                .then(|| main.written.rsplit_once(':')?.1.parse().ok())
                .flatten(),
            others_refused: self.others_refused(main),
            places: {
                let mut places: Vec<String> =
                    ways.iter().map(|(_, way)| way.place.clone()).collect();
                places.dedup();
                places
            },
            listeners: ways
                .iter()
                .map(|(protocol, way)| (*protocol, published(way, front)))
                .collect(),
        })
    }

    /// The listeners of the server, as written.
    fn ways_in(&self) -> Vec<Way> {
        let site = self.site();
        let listeners = site.listeners(self.version());
        let settings = site.settings_in(Scope::server(self.server)).iter();
        let written: Vec<&Setting> = settings
            .filter(|setting| setting.name == "listen" && !setting.arguments.is_empty())
            .collect();
        let server = &site.servers[self.server];
        let ways = server
            .listens
            .iter()
            .enumerate()
            .filter_map(|(index, listen)| {
                let listener = listeners.iter().find(|one| {
                    one.address == listen.address && one.transport == listen.transport
                })?;
                let (written, place) = match (written.get(index), listen.place) {
                    (Some(setting), Some(place)) => (address(&setting.argument(0)?), place),
                    // NGINX's own, for a server that says none.
                    _ => (USUAL_PORT.to_owned(), server.place),
                };
                Some(Way {
                    written,
                    place: self.line(place),
                    listener: listener.clone(),
                })
            });
        ways.collect()
    }

    /// What the file takes for granted: a PROXY header comes from a tunnel server, and who passes on that clients speak TLS
    /// without speaking it has a server before it that does.
    fn front(&self, ways: &[Way]) -> Front {
        if ways.iter().any(|way| way.listener.tls) {
            return Front::None;
        }
        if ways.iter().any(Way::wants_header) {
            return Front::Tunnel;
        }
        match self.passes_on_a_scheme_of_others() {
            true => Front::Tls,
            false => Front::None,
        }
    }

    /// Whether the server for unknown hosts refuses them, and says so.
    fn others_refused(&self, way: &Way) -> Source {
        let request = Request {
            host: Some("unknown.invalid".to_owned()),
            listener: Some(way.listener.address.clone()),
            version: self.version(),
            ..Request::get("/v1/models")
        };
        let decision = self.site().decide(&request);
        match (decision.server, decision.answer) {
            (Some((server, _)), Answer::Returned { .. } | Answer::Redirected { .. })
                if server != self.server =>
            {
                Source::File(self.line(self.site().servers[server].place))
            }
            _ => Source::GoodPractice,
        }
    }
}

fn published(way: &Way, front: Front) -> PublishedListener {
    PublishedListener {
        address: way.written.clone(),
        proxy_protocol: match way.wants_header() {
            true => ProxyProtocol::V1,
            false => ProxyProtocol::None,
        },
        tls: way.listener.tls && front == Front::None,
    }
}

impl Listening {
    /// The table of a tunnel server that leads to the listeners.
    pub(super) fn fallbacks(&self, host: &str) -> Vec<Fallback> {
        if self.front != Front::Tunnel {
            return Vec::new();
        }
        let fallback = |(protocol, listener): (&Protocol, &PublishedListener)| Fallback {
            name: host.to_owned(),
            alpn: match protocol {
                Protocol::H2 => "h2".to_owned(),
                _ => String::new(),
            },
            path: String::new(),
            dest: listener.address.clone(),
            xver: u8::from(listener.proxy_protocol != ProxyProtocol::None),
        };
        self.listeners.iter().map(fallback).collect()
    }

    /// `api.example.org: TLS, HTTP/1.1 and HTTP/2 at the proxy (site.conf:3)`.
    pub(super) fn conclusion(&self, reading: &Reading<'_>) -> String {
        let protocols = self.listeners.keys().map(|protocol| match protocol {
            Protocol::H2 => "HTTP/2",
            _ => "HTTP/1.1",
        });
        let protocols: Vec<&str> = protocols.collect();
        let protocols = protocols.join(" and ");
        let places = self.places.join(", ");
        let front = match (self.front, self.is_secure) {
            (Front::None, true) => "TLS at the proxy",
            (Front::None, false) => "no TLS",
            (Front::Tls, _) => "a server before the proxy ends TLS",
            (Front::Tunnel, _) => "a tunnel server before the proxy, with PROXY headers",
        };
        format!("{}: {protocols}, {front} ({places})", reading.host)
    }
}
