//! Where a `listen` or a `dial` of Caddy's leads, in one spelling.

use std::ops::RangeInclusive;

/// A network address of Caddy's: `[network/]host:port[-port]`, `unix//path[|mode]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Over TCP.
    Tcp {
        /// Without brackets; one name for all that mean the same.
        host: String,
        /// One, but for a listener with a range.
        ports: RangeInclusive<u16>,
    },
    /// A stream socket in the file system.
    Socket(String),
    /// UDP, a descriptor that somebody else opened, a placeholder, or what is no address.
    Other,
}

impl Place {
    /// What a listener is on: `:443`, `0.0.0.0:443` and `[::]:443` are every address.
    pub(super) fn listener(written: &str) -> Self {
        Self::read(written, |host| match host {
            "" | "::" => ANY,
            _ => host,
        })
    }

    /// What a proxy connects to: without a host, this machine.
    pub(super) fn destination(written: &str) -> Self {
        Self::read(written, |host| match host {
            "" | "localhost" | "::1" | ANY | "::" => LOCALHOST,
            _ => host,
        })
    }

    fn read(written: &str, same: impl Fn(&str) -> &str) -> Self {
        if let Some(path) = written.strip_prefix("unix:") {
            return Self::Socket(path.to_owned());
        }
        let address = match written.split_once('/') {
            Some(("unix", path)) => {
                let path = path.split('|').next().unwrap_or_default();
                return Self::Socket(path.to_owned());
            }
            Some(("tcp" | "tcp4" | "tcp6", address)) => address,
            Some(_) => return Self::Other,
            None => written,
        };
        let Some((host, ports)) = address.rsplit_once(':') else {
            return Self::Other;
        };
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (Ok(first), Ok(last)) = (first.parse(), last.parse()) else {
            return Self::Other;
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Self::Tcp {
            host: same(&host.to_ascii_lowercase()).to_owned(),
            ports: first..=last,
        }
    }

    /// Whether it is the other one, or has it in its range of ports.
    pub(super) fn has(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other, _) => false,
            (
                Self::Tcp { host, ports },
                Self::Tcp {
                    host: its,
                    ports: wanted,
                },
            ) => host == its && ports.contains(wanted.start()) && ports.contains(wanted.end()),
            _ => self == other,
        }
    }

    /// The first of its ports.
    pub(super) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp { ports, .. } => Some(*ports.start()),
            _ => None,
        }
    }

    /// As a deployment has it: `host:port`, or `unix:` and a path.
    pub(super) fn spelled(&self) -> Option<String> {
        match self {
            Self::Tcp { host, ports } if host.contains(':') => {
                Some(format!("[{host}]:{}", ports.start()))
            }
            Self::Tcp { host, ports } => Some(format!("{host}:{}", ports.start())),
            Self::Socket(path) => Some(format!("unix:{path}")),
            Self::Other => None,
        }
    }
}

const ANY: &str = "0.0.0.0";
const LOCALHOST: &str = "127.0.0.1";

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(written: &str) -> Option<String> {
        Place::listener(written).spelled()
    }

    #[test]
    fn every_spelling_of_a_listener_is_the_same_one() {
        for same in [
            ":443",
            "0.0.0.0:443",
            "[::]:443",
            "tcp/:443",
            "tcp6/[::]:443",
        ] {
            assert_eq!(listener(same).as_deref(), Some("0.0.0.0:443"), "{same}");
        }
        assert_eq!(listener("[FE80::1]:80").as_deref(), Some("[fe80::1]:80"));
        assert_eq!(listener("unix//run/a|0222").as_deref(), Some("unix:/run/a"));
        assert_eq!(listener("unix:/run/a").as_deref(), Some("unix:/run/a"));
        for other in [
            "udp/:443",
            "fd/3",
            "{env.ADDRESS}:443x",
            "localhost",
            ":http",
        ] {
            assert_eq!(Place::listener(other), Place::Other, "{other}");
        }
    }

    #[test]
    fn a_range_has_its_ports() {
        let range = Place::listener(":8000-8010");
        assert!(range.has(&Place::listener("0.0.0.0:8003")));
        assert!(!range.has(&Place::listener("0.0.0.0:8011")));
        assert!(!range.has(&Place::listener("127.0.0.1:8003")));
        assert!(!Place::Other.has(&Place::Other));
    }

    #[test]
    fn this_machine_has_many_names() {
        for same in [
            ":8317",
            "localhost:8317",
            "[::1]:8317",
            "tcp/127.0.0.1:8317",
        ] {
            assert_eq!(
                Place::destination(same),
                Place::destination("127.0.0.1:8317")
            );
        }
    }
}
