//! An upstream that answers every request with its own name and the target that arrived, whatever it is.
//!
//! The mocks of the programs refuse what Go's server refuses; where only the way of a request is asked for, that would
//! look like the candidate's own refusal.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// An echo that listens; stops when dropped.
#[derive(Debug)]
pub struct RunningEcho {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl RunningEcho {
    /// Listens on an ephemeral loopback port under a name.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(name: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, name.into()));
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RunningEcho {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves until it is aborted; the connections end with it.
async fn accept(listener: TcpListener, name: Arc<str>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, Arc::clone(&name)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut stream: TcpStream, name: Arc<str>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::new();
    loop {
        while let Some(end) = find(&buffer, b"\r\n\r\n") {
            let answer = answer(&name, &buffer[..end]);
            buffer.advance(end + 4);
            stream.write_all(&answer).await?;
        }
        if buffer.len() > LONGEST_HEAD || stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

/// `name target`, the target as it stands between the first and the last blank of the request line.
fn answer(name: &str, head: &[u8]) -> Vec<u8> {
    let line = &head[..find(head, b"\r\n").unwrap_or(head.len())];
    let first = line.iter().position(|byte| *byte == b' ');
    let last = line.iter().rposition(|byte| *byte == b' ');
    let target = match (first, last) {
        (Some(first), Some(last)) if first < last => &line[first + 1..last],
        _ => line,
    };
    let length = name.len() + 1 + target.len();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{name} ").into_bytes();
    answer.extend_from_slice(target);
    answer
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Far above what a request with a field for every habit of a proxy has.
const LONGEST_HEAD: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_its_name_and_any_target() {
        let told = |head: &str| String::from_utf8(answer("u1", head.as_bytes())).unwrap();
        assert!(told("GET /a?b HTTP/1.1\r\nHost: x").ends_with("\r\n\r\nu1 /a?b"));
        assert!(told("GET ?x y HTTP/1.0").contains("Content-Length: 7\r\n\r\nu1 ?x y"));
    }

    #[tokio::test]
    async fn a_connection_serves_many_requests() {
        let echo = RunningEcho::start("u0").await.unwrap();
        let mut stream = TcpStream::connect(echo.address()).await.unwrap();
        let two = b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
        stream.write_all(two).await.unwrap();
        let mut read = BytesMut::new();
        while find(&read, b"u0 /2").is_none() {
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
        }
        assert!(find(&read, b"u0 /1").is_some());
    }
}
