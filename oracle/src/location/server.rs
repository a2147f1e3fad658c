use std::fmt;
use std::sync::Arc;

use super::listener::Transport;
use super::place::Place;
use super::regex::Regex;
use super::rewrite::Script;
use super::settings::Settings;
use super::table::Table;
use super::witness;
use crate::setting::BlockId;

/// One `server` block.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub listens: Vec<Listen>,
    /// Its names, in the order of the file.
    pub names: Vec<ServerName>,
    /// Its locations.
    pub table: Table,
    /// Where it is written.
    pub place: Place,
    pub(crate) script: Script,
    pub(crate) settings: Arc<Settings>,
    pub(crate) block: BlockId,
}

/// One `listen`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listen {
    /// Address and port as NGINX completes them: `*:80`, `127.0.0.1:8003`, `[::]:80`, `unix:/run/x`.
    pub address: String,
    /// Whether `default_server` is said.
    pub default: DefaultServer,
    /// What is spoken on it.
    pub protocol: Protocol,
    /// Whether TLS is ended there (`ssl`): ALPN then chooses, and HTTP/1.1 is spoken as well.
    pub tls: bool,
    /// Whether `http2` is said here, rather than by the directive of that name.
    pub(crate) http2_parameter: bool,
    /// What carries its requests.
    pub transport: Transport,
    /// Whether connections begin with a PROXY header.
    pub proxy_protocol: ProxyProtocol,
    /// Where it is written; `None` for the one NGINX adds to a server without any.
    pub place: Option<Place>,
}

/// Whether a server answers for unknown hosts at an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DefaultServer {
    /// `default_server` is said.
    Said,
    /// Only if it is the first at its address.
    Unsaid,
}

/// HTTP/1.1, or HTTP/2 as well (on a listener without TLS: by prior knowledge).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2.
    Http2,
}

/// Whether a listener takes PROXY headers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProxyProtocol {
    /// Every connection must begin with one.
    Required,
    /// None.
    Off,
}

/// One word of `server_name`.
#[derive(Clone, Debug)]
pub enum ServerName {
    /// A host name, lower-cased; empty for requests without one.
    Exact(String),
    /// `*.example.org`: any name that ends so; kept as `.example.org`.
    EndsWith(String),
    /// `.example.org`: that name and any below it; kept as `.example.org`.
    Domain(String),
    /// `www.example.*`: any name that begins so; kept as `www.example.`.
    BeginsWith(String),
    /// `~…`
    Regex(Regex),
}

impl ServerName {
    /// A name to send as host so that this server is chosen; none for `_`, the empty name, or an expression for which
    /// none is found.
    pub fn example(&self) -> Option<String> {
        match self {
            Self::Exact(name) if name.contains(|letter: char| letter.is_ascii_alphanumeric()) => {
                Some(name.clone())
            }
            Self::EndsWith(suffix) | Self::Domain(suffix) => Some(format!("x{suffix}")),
            Self::BeginsWith(prefix) => Some(format!("{prefix}x")),
            Self::Exact(_) => None,
            Self::Regex(regex) => witness::host(regex),
        }
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) | Self::Domain(name) => f.write_str(name),
            Self::EndsWith(suffix) => write!(f, "*{suffix}"),
            Self::BeginsWith(prefix) => write!(f, "{prefix}*"),
            Self::Regex(regex) => write!(f, "~{}", regex.pattern()),
        }
    }
}

impl Server {
    /// Directives of the rewrite module, of the server and its locations, that may send a request elsewhere.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, Place)> {
        let scripts = self.table.locations().map(|(_, location)| &location.script);
        std::iter::once(&self.script)
            .chain(scripts)
            .flat_map(Script::conditions)
    }
}

impl Listen {
    /// Whether requests of this protocol are answered there.
    pub(crate) fn speaks(&self, protocol: Protocol) -> bool {
        self.protocol == protocol || self.tls && protocol == Protocol::Http1
    }

    /// The `address` argument, completed.
    pub(crate) fn address(argument: &str) -> String {
        let is_port = argument.bytes().all(|byte| byte.is_ascii_digit());
        let has_port = match argument.rsplit_once(':') {
            Some((_, port)) => !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()),
            None => false,
        };
        match argument {
            unix if unix.starts_with("unix:") => unix.to_owned(),
            port if is_port => format!("*:{port}"),
            v6 if v6.starts_with('[') && v6.ends_with(']') => format!("{v6}:80"),
            full if has_port => full
                .strip_prefix("0.0.0.0:")
                .map_or_else(|| full.to_owned(), |port| format!("*:{port}")),
            "0.0.0.0" => "*:80".to_owned(),
            host => format!("{host}:80"),
        }
    }
}

/// The server that answers for a host at an address, as `ngx_http_find_virtual_server` chooses (nginx 1.22.1): the
/// exact name, the longest `*.` name, the longest name with `.*`, the first regular expression, else the default.
pub(crate) fn choose(
    servers: &[Server],
    address: &str,
    host: Option<&str>,
) -> Option<(usize, Chosen)> {
    let here = |server: &&(usize, &Server)| {
        server
            .1
            .listens
            .iter()
            .any(|listen| listen.address == address)
    };
    let numbered: Vec<_> = servers.iter().enumerate().collect();
    let at_address: Vec<_> = numbered.iter().filter(here).copied().collect();
    if let Some(host) = host
        && let Some(found) = by_name(&at_address, host)
    {
        return Some(found);
    }
    let says_default = |server: &Server| {
        let mut listens = server.listens.iter();
        listens.any(|listen| listen.address == address && listen.default == DefaultServer::Said)
    };
    let said = at_address.iter().find(|(_, server)| says_default(server));
    said.or(at_address.first())
        .map(|(number, _)| (*number, Chosen::Default))
}

fn by_name(servers: &[(usize, &Server)], host: &str) -> Option<(usize, Chosen)> {
    let mut best: Option<(usize, Chosen)> = None;
    for (number, server) in servers {
        for name in &server.names {
            let chosen = name.matches(host);
            let is_better =
                chosen.is_some_and(|chosen| best.is_none_or(|(_, before)| chosen > before));
            if is_better {
                best = chosen.map(|chosen| (*number, chosen));
            }
        }
    }
    best
}

/// Why a server was chosen; the later in this list, the stronger.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Chosen {
    /// No name matches the host: the default server of the address.
    Default,
    /// By a regular expression.
    Regex,
    /// By `www.example.*`, with so many bytes.
    Prefix(usize),
    /// By `*.example.org`, with so many bytes.
    Suffix(usize),
    /// By its exact name.
    Name,
}

impl ServerName {
    fn matches(&self, host: &str) -> Option<Chosen> {
        match self {
            Self::Exact(name) => (name == host).then_some(Chosen::Name),
            Self::Domain(suffix) if *host == suffix[1..] => Some(Chosen::Name),
            Self::Domain(suffix) | Self::EndsWith(suffix) => (host.len() > suffix.len()
                && host.ends_with(suffix.as_str()))
            .then_some(Chosen::Suffix(suffix.len())),
            Self::BeginsWith(prefix) => (host.len() > prefix.len()
                && host.starts_with(prefix.as_str()))
            .then_some(Chosen::Prefix(prefix.len())),
            Self::Regex(regex) => regex
                .is_match(host.as_bytes())
                .unwrap_or(false)
                .then_some(Chosen::Regex),
        }
    }
}
