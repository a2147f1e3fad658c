//! Proxies that are wrong altogether.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use proxyproof_harness::{Protocol, candidate::Listeners};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What one does that passes nothing on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusing {
    /// Answers every request with this status.
    Answers(&'static str),
    /// Answers every request with 200 and its head.
    Echoes,
    /// Takes every connection, and says nothing.
    Silent,
    /// Takes every connection, and closes it.
    Closes,
}

/// What one does to the bytes that it passes on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passing {
    /// Nothing: whatever it is asked, one upstream gets it.
    Everything,
    /// The last byte of each piece of a body is another one.
    ChangedByte,
    /// Each piece of an answer waits for so long.
    Late(Duration),
    /// Nothing for so many connections; those that follow get 502.
    UntilConnection(usize),
}

/// Serves HTTP/1 without any upstream.
pub(crate) async fn refuse(listeners: Listeners, kind: Refusing) -> io::Result<()> {
    let listener = listener(listeners);
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(refuse_all(client, kind));
    }
}

/// Passes every connection on to one upstream.
pub(crate) async fn pass(
    listeners: Listeners,
    upstream: SocketAddr,
    kind: Passing,
) -> io::Result<()> {
    let listener = listener(listeners);
    for number in 1.. {
        let (client, _) = listener.accept().await?;
        if matches!(kind, Passing::UntilConnection(last) if number > last) {
            tokio::spawn(refuse_all(client, Refusing::Answers("502 Bad Gateway")));
            continue;
        }
        tokio::spawn(async move {
            let upstream = TcpStream::connect(upstream).await?;
            let (from_client, to_client) = client.into_split();
            let (from_upstream, to_upstream) = upstream.into_split();
            let request = tokio::spawn(relay(from_client, to_upstream, Passing::Everything));
            relay(from_upstream, to_client, kind).await?;
            request.await?
        });
    }
    Ok(())
}

fn listener(mut listeners: Listeners) -> TcpListener {
    listeners
        .take(Protocol::H1)
        .expect("the deployment has a listener for it")
}

async fn refuse_all(mut client: TcpStream, kind: Refusing) -> io::Result<()> {
    let mut head = Vec::new();
    loop {
        match kind {
            Refusing::Closes => return Ok(()),
            Refusing::Silent => {
                let _ = client.read_to_end(&mut head).await;
                return Ok(());
            }
            Refusing::Answers(_) | Refusing::Echoes => {}
        }
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        while let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = head.split_off(end + 4);
            let (status, body) = match kind {
                Refusing::Answers(status) => (status, &b"no\n"[..]),
                _ => ("200 OK", &head[..]),
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
            client
                .write_all(&[answer.as_bytes(), body].concat())
                .await?;
            head = rest;
        }
    }
}

async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, kind: Passing) -> io::Result<()> {
    let mut piece = Vec::new();
    while from.read_buf(&mut piece).await? > 0 {
        match kind {
            Passing::Everything | Passing::UntilConnection(_) => {}
            Passing::ChangedByte => change(&mut piece),
            Passing::Late(time) => wait(time).await,
        }
        to.write_all(&piece).await?;
        piece.clear();
    }
    to.shutdown().await
}

/// Another letter in the place of the last letter behind a head.
fn change(piece: &mut [u8]) {
    let end = piece.windows(4).position(|window| window == b"\r\n\r\n");
    let head = end.filter(|_| piece.starts_with(b"HTTP/1."));
    let body = &mut piece[head.map_or(0, |end| end + 4)..];
    if let Some(last) = body.iter_mut().rev().find(|byte| byte.is_ascii_lowercase()) {
        *last = if *last == b'q' { b'z' } else { b'q' };
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "being late is what this proxy is for"
)]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
