use super::server::{self, DefaultServer, Protocol, ProxyProtocol, Server};
use super::site::Site;
use super::version::NginxVersion;
use crate::setting::Scope;

/// One address that NGINX listens at, for all servers that name it: what one of them says of it holds for all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listener {
    /// Address and port as NGINX completes them: the field of that name in [`Listen`](super::Listen).
    pub address: String,
    /// The servers that listen there, as indices in [`Site::servers`].
    pub servers: Vec<usize>,
    /// The one that answers for unknown hosts.
    pub default_server: usize,
    /// Whether TLS is ended there.
    pub tls: bool,
    /// Whether connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// What is spoken there over TCP.
    pub protocols: Vec<Protocol>,
    /// Whether HTTP/3 is (`quic`): then nothing is spoken over TCP.
    pub transport: Transport,
}

/// What carries the requests of a listener.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Transport {
    /// TCP, or a Unix socket.
    #[default]
    Stream,
    /// UDP: HTTP/3.
    Quic,
}

impl Site {
    /// All addresses the site listens at, in the order of the file.
    pub fn listeners(&self, version: NginxVersion) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = Vec::new();
        for (number, server) in self.servers.iter().enumerate() {
            for listen in &server.listens {
                let known = listeners.iter_mut().find(|known| {
                    known.address == listen.address && known.transport == listen.transport
                });
                match known {
                    Some(known) if known.servers.contains(&number) => {}
                    Some(known) => known.servers.push(number),
                    None => listeners.push(Listener {
                        address: listen.address.clone(),
                        servers: vec![number],
                        default_server: number,
                        tls: false,
                        proxy_protocol: ProxyProtocol::Off,
                        protocols: Vec::new(),
                        transport: listen.transport,
                    }),
                }
            }
        }
        for listener in &mut listeners {
            self.complete(listener, version);
        }
        listeners
    }

    fn complete(&self, listener: &mut Listener, version: NginxVersion) {
        let said = server::choose(&self.servers, &listener.address, None);
        listener.default_server = said.map_or(listener.servers[0], |(number, _)| number);
        listener.tls = self.ends_tls(&listener.address);
        listener.proxy_protocol = self.proxy_protocol(&listener.address);
        if listener.transport == Transport::Quic {
            return;
        }
        let parameter = self
            .listens_at(&listener.address)
            .any(|(_, listen)| listen.http2_parameter);
        // By ALPN the server of the name decides, without TLS the default one.
        let directive = match listener.tls {
            true => listener
                .servers
                .iter()
                .any(|number| self.http2_is_on(*number)),
            false => self.http2_is_on(listener.default_server),
        };
        let http1 = listener.tls || !parameter || version >= NginxVersion::HTTP2_DIRECTIVE;
        let http2 = parameter || directive && version >= NginxVersion::HTTP2_DIRECTIVE;
        listener.protocols.extend(http1.then_some(Protocol::Http1));
        listener.protocols.extend(http2.then_some(Protocol::Http2));
    }

    fn http2_is_on(&self, server: usize) -> bool {
        let on = |setting: &&crate::setting::Setting| {
            setting.arguments.first().is_some_and(|word| word == b"on")
        };
        self.effective(Scope::server(server), "http2")
            .setting()
            .as_ref()
            .is_some_and(on)
    }

    /// Whether TLS is ended at an address: said once, it holds for every server there.
    pub(super) fn ends_tls(&self, address: &str) -> bool {
        let mut here = self.listens_at(address);
        // `ssl on` of releases before 1.25.1 is for all addresses of its server.
        here.any(|(number, listen)| {
            let flag = || {
                self.effective(Scope::server(number), "ssl")
                    .flag(NginxVersion::default())
            };
            listen.tls || flag() == Some(true)
        })
    }

    /// Whether connections to an address begin with a PROXY header: said once, it holds for every server there.
    pub(super) fn proxy_protocol(&self, address: &str) -> ProxyProtocol {
        let mut here = self.listens_at(address);
        match here.any(|(_, listen)| listen.proxy_protocol == ProxyProtocol::Required) {
            true => ProxyProtocol::Required,
            false => ProxyProtocol::Off,
        }
    }

    fn listens_at(&self, address: &str) -> impl Iterator<Item = (usize, &server::Listen)> {
        let all = self.servers.iter().enumerate();
        let listens = all
            .flat_map(|(number, server)| server.listens.iter().map(move |listen| (number, listen)));
        listens.filter(move |(_, listen)| listen.address == address)
    }
}

impl Server {
    /// A host name that leads to this server, if one of its names says one: neither `_` nor an empty one does.
    ///
    /// For a regular expression a name is made that it matches.
    pub fn host(&self) -> Option<String> {
        self.names.iter().find_map(server::ServerName::example)
    }

    /// Whether it is the default server of an address by its own words.
    pub fn says_default(&self) -> bool {
        self.listens
            .iter()
            .any(|listen| listen.default == DefaultServer::Said)
    }
}
