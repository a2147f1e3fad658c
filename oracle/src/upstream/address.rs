use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a connection goes to.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Address {
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A name to be resolved, and a port.
    Name {
        /// The name, as written.
        host: String,
        /// The port, written or implied.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: String,
    },
}

impl Address {
    /// Reads `host`, `host:port`, `[v6]:port` or `unix:path`; without a port the default holds.
    ///
    /// `None` where the port is no port, where nothing is left of the host, or where a variable stands in it.
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.trim_end_matches(':').to_owned();
            return (!path.is_empty()).then_some(Self::Unix { path });
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']')?;
                (host, after.strip_prefix(':'))
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0)?,
            None => default_port,
        };
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some(Self::Ip(SocketAddr::new(ip, port)));
        }
        let is_name = !host.is_empty() && !host.contains(['$', '/', ' ', ':']);
        is_name.then(|| Self::Name {
            host: host.to_owned(),
            port,
        })
    }

    /// The port; a Unix socket has none.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Ip(address) => Some(address.port()),
            Self::Name { port, .. } => Some(*port),
            Self::Unix { .. } => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => write!(f, "{address}"),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed() {
        let shown = |text| Address::parse(text, 80).map(|address| address.to_string());
        for (text, address) in [
            ("127.0.0.1", "127.0.0.1:80"),
            ("127.0.0.1:8317", "127.0.0.1:8317"),
            ("[::1]:8317", "[::1]:8317"),
            ("[::1]", "[::1]:80"),
            ("litellm:4000", "litellm:4000"),
            ("api.example.net", "api.example.net:80"),
            ("unix:/run/x.sock", "unix:/run/x.sock"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(address));
        }
        for wrong in ["", ":80", "a:b", "a:0", "a:70000", "$host:80", "unix:"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
