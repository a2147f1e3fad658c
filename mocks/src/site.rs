//! The tunnel server's own web site, of which nothing matters but who was sent there.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::moment::Moment;
use crate::wire::proxy_protocol::{ProxyHeader, ProxyHeaderError};

/// A stub that stands behind the front where the published table has the tunnel site.
///
/// An HTTP/1 request is answered with a short text and the end of the connection, anything else with the end alone.
#[derive(Clone, Debug)]
pub struct Site {
    name: Arc<str>,
}

impl Site {
    /// A site of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into() }
    }

    /// Binds an ephemeral loopback port and serves on the caller's runtime.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(self) -> io::Result<RunningSite> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let visits = Visits::default();
        let serving = tokio::spawn(serve(listener, visits.clone()));
        Ok(RunningSite {
            name: self.name,
            address,
            visits,
            serving,
        })
    }
}

/// A running site; stops when dropped.
#[derive(Debug)]
pub struct RunningSite {
    name: Arc<str>,
    address: SocketAddr,
    visits: Visits,
    serving: JoinHandle<()>,
}

/// One connection to a site.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When it was accepted.
    pub accepted_at: Moment,
    /// The client that its PROXY header names, if there is one and it names any.
    pub claimed: Option<SocketAddr>,
    /// What came after the header: the head of an HTTP/1 request, or the first bytes of something else.
    pub first: Vec<u8>,
}

impl RunningSite {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections so far whose first bytes came, the oldest first.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        lock(&self.visits).clone()
    }
}

impl Drop for RunningSite {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Visits = Arc<Mutex<Vec<Visit>>>;

fn lock(visits: &Visits) -> std::sync::MutexGuard<'_, Vec<Visit>> {
    visits.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connections are children of this task: they end with it.
async fn serve(listener: TcpListener, visits: Visits) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _peer)) = listener.accept().await {
        connections.spawn(timeout(LONGEST_VISIT, receive(stream, visits.clone())));
        while connections.try_join_next().is_some() {}
    }
}

async fn receive(mut stream: TcpStream, visits: Visits) -> io::Result<()> {
    let accepted_at = Moment::now();
    let mut bytes = Vec::new();
    while !is_whole(&bytes) && bytes.len() < MOST {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    let header = ProxyHeader::parse(&bytes).ok();
    let first = bytes.split_off(header.as_ref().map_or(0, |header| header.length));
    let is_http_one = first.windows(9).any(|window| window == b" HTTP/1.1");
    lock(&visits).push(Visit {
        accepted_at,
        claimed: header.and_then(|header| Some(header.addresses?.0)),
        first,
    });
    if is_http_one {
        stream.write_all(ANSWER).await?;
    }
    stream.shutdown().await
}

/// Whether a PROXY header, if one began, and a head are there.
fn is_whole(bytes: &[u8]) -> bool {
    let start = match ProxyHeader::parse(bytes) {
        Ok(header) => header.length,
        Err(ProxyHeaderError::Incomplete) => return false,
        Err(_) => 0,
    };
    bytes[start..]
        .windows(4)
        .any(|window| window == b"\r\n\r\n")
}

/// More than any head a probe sends.
const MOST: usize = 64 << 10;
/// A visitor who says nothing is sent away.
const LONGEST_VISIT: Duration = Duration::from_secs(10);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\ntunnel site\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::proxy_protocol::ProxyVersion;

    async fn visit(header: &[u8], request: &[u8]) -> (String, Visit) {
        let site = Site::new("8001").start().await.unwrap();
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        stream.write_all(header).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer, site.visits().remove(0))
    }

    #[tokio::test]
    async fn a_visit_is_recorded_and_answered() {
        let client = SocketAddr::from(([203, 0, 113, 7], 5555));
        let header = ProxyVersion::V1.encode(client, ([127, 0, 0, 1], 443).into());
        let (answer, visit) = visit(&header, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(visit.claimed, Some(client));
        assert_eq!(visit.first, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    #[tokio::test]
    async fn http_two_is_recorded_and_closed() {
        let (answer, visit) = visit(b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        assert_eq!(answer, "");
        assert_eq!(visit.claimed, None);
        assert!(visit.first.starts_with(b"PRI * HTTP/2.0\r\n"));
    }
}
