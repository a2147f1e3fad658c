//! Where a fallback leads, and how it is dialled.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixStream as BlockingUnixStream};
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};

use crate::dial;

/// Where a fallback leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `host:port`; a bare port number means `localhost`, which the resolver may take for `::1`.
    Tcp(String),
    /// A unix socket: a path, or an abstract name after one NUL byte (`@name`; `@@name` padded to the full length).
    Unix(Vec<u8>),
    /// `serve-ws-none`, and networks that do not exist: accepted in a table, cannot be dialled.
    Undialable(String),
}

impl Destination {
    /// Reads `dest` (and `type`, usually absent) of an entry; `None` if it has no valid form.
    pub(super) fn read(dest: Option<&Value>, network: &str) -> Option<Self> {
        let text = written(dest);
        match network {
            "" => Self::guess(&text),
            "tcp" => Some(Self::Tcp(text)),
            "unix" => Some(Self::unix(&text)),
            _ => Some(Self::Undialable(text)),
        }
    }

    fn guess(text: &str) -> Option<Self> {
        if text == "serve-ws-none" {
            return Some(Self::Undialable(text.to_owned()));
        }
        if text.starts_with(['/', '@']) {
            return Some(Self::unix(text));
        }
        let text = if text.parse::<i64>().is_ok() {
            format!("localhost:{text}")
        } else {
            text.to_owned()
        };
        split_host_port(&text)?;
        Some(Self::Tcp(text))
    }

    fn unix(text: &str) -> Self {
        let Some(name) = text.strip_prefix('@') else {
            return Self::Unix(text.into());
        };
        let mut address = vec![0];
        match name.strip_prefix('@') {
            Some(padded) => {
                address.extend(padded.as_bytes());
                address.resize(UNIX_PATH_LENGTH, 0);
            }
            None => address.extend(name.as_bytes()),
        }
        Self::Unix(address)
    }

    /// The port, of a TCP destination that names one by number.
    pub(super) fn port(&self) -> Option<u16> {
        let Self::Tcp(text) = self else { return None };
        split_host_port(text)?.1.parse().ok()
    }

    /// Connects, in five attempts with growing pauses between them.
    pub(super) async fn dial(&self, from: Option<IpAddr>) -> io::Result<Outgoing> {
        let mut pause = Duration::ZERO;
        loop {
            let last = pause >= DIAL_PAUSE * (DIAL_ATTEMPTS - 1);
            match self.attempt(from).await {
                Err(reason) if last => return Err(reason),
                Err(_) => wait(pause).await,
                connected => return connected,
            }
            pause += DIAL_PAUSE;
        }
    }

    async fn attempt(&self, from: Option<IpAddr>) -> io::Result<Outgoing> {
        match self {
            Self::Tcp(text) => {
                let stream = match text.parse() {
                    Ok(address) => dial(address, from).await?,
                    Err(_) => {
                        let named = text.strip_prefix(':').map_or_else(
                            || text.clone(),
                            // Go dials the local system when the host is empty.
                            |port| format!("localhost:{port}"),
                        );
                        TcpStream::connect(named).await?
                    }
                };
                stream.set_nodelay(true)?;
                Ok(Outgoing::Tcp(stream))
            }
            Self::Unix(address) => {
                let address = match address.strip_prefix(&[0]) {
                    Some(name) => UnixAddress::from_abstract_name(name)?,
                    None => UnixAddress::from_pathname(String::from_utf8_lossy(address).as_ref())?,
                };
                let stream = BlockingUnixStream::connect_addr(&address)?;
                stream.set_nonblocking(true)?;
                Ok(Outgoing::Unix(UnixStream::from_std(stream)?))
            }
            Self::Undialable(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address.to_string())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(text) | Self::Undialable(text) => f.write_str(text),
            Self::Unix(address) => {
                let text = String::from_utf8_lossy(address);
                f.write_str(&text.trim_end_matches('\0').replacen('\0', "@", 1))
            }
        }
    }
}

/// A connection to a destination.
pub(super) enum Outgoing {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Outgoing {
    /// The front's own end of it, by which the candidate knows it.
    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// `dest` as text: a number that fits a port, or a string; anything else counts as empty.
fn written(dest: Option<&Value>) -> String {
    match dest {
        // Go decodes null into the number's zero.
        Some(Value::Null) => "0".to_owned(),
        Some(Value::Number(number)) => {
            let port = number
                .as_u64()
                .and_then(|number| u16::try_from(number).ok());
            port.map(|port| port.to_string()).unwrap_or_default()
        }
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// Go's `net.SplitHostPort`: a colon splits, brackets protect an IPv6 address; the port may be anything.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    let bracket = |part: &str| part.contains(['[', ']']);
    (!bracket(host) && !bracket(port)).then_some((host, port))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause between attempts is the program's own"
)]
async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

const DIAL_ATTEMPTS: u32 = 5;
/// After the first failure there is no pause, then each is longer by this much.
const DIAL_PAUSE: Duration = Duration::from_millis(100);
/// Of `sockaddr_un` on Linux.
const UNIX_PATH_LENGTH: usize = 108;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(dest: &Value) -> Option<Destination> {
        Destination::read(Some(dest), "")
    }

    #[test]
    fn the_forms_of_a_destination() {
        let tcp = |text: &str| Some(Destination::Tcp(text.to_owned()));
        assert_eq!(read(&json!(8003)), tcp("localhost:8003"));
        assert_eq!(read(&json!("8003")), tcp("localhost:8003"));
        assert_eq!(read(&json!("[::1]:8003")), tcp("[::1]:8003"));
        assert_eq!(read(&json!("127.0.0.1:8003")), tcp("127.0.0.1:8003"));
        assert_eq!(
            read(&json!("@site")),
            Some(Destination::Unix(b"\0site".to_vec()))
        );
        assert_eq!(
            read(&json!("/run/site")),
            Some(Destination::Unix(b"/run/site".to_vec()))
        );
        let Some(Destination::Unix(padded)) = read(&json!("@@site")) else {
            panic!()
        };
        assert_eq!((padded.len(), padded.starts_with(b"\0site\0")), (108, true));
    }

    #[test]
    fn what_is_no_destination() {
        for dest in [
            json!("nonsense"),
            json!(70000),
            json!(-1),
            json!(true),
            json!(""),
            json!("::1:80"),
        ] {
            assert_eq!(read(&dest), None, "{dest}");
        }
        assert_eq!(Destination::read(None, ""), None);
    }
}
