//! Connections to CPA, and what Go says when there is none.
//!
//! Unlike the real program this connects to loopback addresses only: what a client writes into `/setup` must not make a
//! mock send anything elsewhere.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connects; the error is Go's text.
pub(super) async fn dial(host: &str, port: u16, within: Duration) -> Result<TcpStream, String> {
    let mut failure = format!("dial tcp: lookup {host}: no such host");
    for address in addresses(host) {
        let address = SocketAddr::new(address, port);
        failure = if !address.ip().is_loopback() {
            format!("dial tcp {address}: connect: network is unreachable")
        } else {
            match timeout(within, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Latency only.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => format!("dial tcp {address}: connect: {}", errno(&error)),
                Err(_) => format!("dial tcp {address}: i/o timeout"),
            }
        };
    }
    Err(failure)
}

/// The addresses of a host, without asking a resolver.
fn addresses(host: &str) -> Vec<IpAddr> {
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    Vec::new()
}

/// Go's text of an error while reading from or writing to an open connection; `doing` is `read` or `write`.
pub(super) fn broken(stream: &TcpStream, doing: &str, error: &io::Error) -> String {
    let end = |address: io::Result<SocketAddr>| {
        address.map_or_else(|_| "?".to_owned(), |address| address.to_string())
    };
    let (own, peer) = (end(stream.local_addr()), end(stream.peer_addr()));
    format!("{doing} tcp {own}->{peer}: {doing}: {}", errno(error))
}

/// An error number in Go's words.
fn errno(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset by peer",
        io::ErrorKind::BrokenPipe => "broken pipe",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::AddrNotAvailable => "cannot assign requested address",
        io::ErrorKind::NetworkUnreachable => "network is unreachable",
        io::ErrorKind::HostUnreachable => "no route to host",
        _ => return error.to_string().to_lowercase(),
    };
    text.to_owned()
}
