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
    /// The first letter of each body is another one.
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
    let mut place = Place::Ahead(0);
    while from.read_buf(&mut piece).await? > 0 {
        match kind {
            Passing::Everything | Passing::UntilConnection(_) => {}
            Passing::ChangedByte => piece.iter_mut().for_each(|byte| place.change(byte)),
            Passing::Late(time) => wait(time).await,
        }
        to.write_all(&piece).await?;
        piece.clear();
    }
    to.shutdown().await
}

/// Where in its answer a byte is. The same one is changed, whatever the pieces that an answer arrives in.
#[derive(Clone, Copy)]
enum Place {
    /// Ahead of the head, so many bytes into the version that begins it.
    Ahead(usize),
    /// In the head, so many bytes into the blank line that ends it.
    Head(usize),
    /// In the body, whose first letter has not come.
    Body(usize),
}

impl Place {
    /// Another letter in the place of a body's first that no chunk's length has.
    fn change(&mut self, byte: &mut u8) {
        *self = match *self {
            Self::Ahead(seen) => match further(b"HTTP/1.", seen, *byte) {
                None => Self::Head(0),
                Some(seen) => Self::Ahead(seen),
            },
            Self::Head(seen) => match further(b"\r\n\r\n", seen, *byte) {
                None => Self::Body(0),
                Some(seen) => Self::Head(seen),
            },
            Self::Body(_) if matches!(byte, b'g'..=b'z') => {
                *byte = if *byte == b'q' { b'z' } else { b'q' };
                Self::Ahead(0)
            }
            // A body without a letter: the next answer's head follows.
            Self::Body(seen) => match further(b"HTTP/1.", seen, *byte) {
                None => Self::Head(0),
                Some(seen) => Self::Body(seen),
            },
        };
    }
}

/// How much of `whole` has come with this byte; nothing once all of it has.
fn further(whole: &[u8], seen: usize, byte: u8) -> Option<usize> {
    let seen = if byte == whole[seen] {
        seen + 1
    } else {
        usize::from(byte == whole[0])
    };
    (seen < whole.len()).then_some(seen)
}

#[expect(
    clippy::disallowed_methods,
    reason = "being late is what this proxy is for"
)]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
