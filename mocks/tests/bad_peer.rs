//! Peers that stall, reset, trickle, send garbage, oversized heads or endless bodies: the next request is served.

#[expect(dead_code, reason = "no request heads here")]
mod raw_client;

use std::time::Duration;

use futures_util::future::select_all;
use proxyproof_mocks::RunningUpstream;
use proxyproof_mocks::upstream::{After, Exchange, Request, Server, Service};
use proxyproof_mocks::wire::http1::Response;
use raw_client::{PATIENCE, RawClient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Reads bodies of at most 1 MiB.
struct Reader;

impl Service for Reader {
    async fn serve(&self, _: &Request, exchange: &mut Exchange) -> After {
        let status = if exchange.read_body(1 << 20).await.is_ok() {
            200
        } else {
            413
        };
        exchange.respond(Response::new(status)).await
    }
}

async fn start() -> RunningUpstream {
    Server::new("reader", Reader)
        .start()
        .await
        .expect("a loopback port is free")
}

async fn serves(upstream: &RunningUpstream) {
    let mut client = RawClient::connect(upstream.address()).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_until("Content-Length: 0\r\n\r\n").await;
}

#[tokio::test]
async fn stalls_trickles_garbage_and_resets() {
    let upstream = start().await;
    let begins: [&[u8]; 6] = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nhalf",
        b"\x16\x03\x01\x00\xff\x01\x00",
    ];
    let mut clients = Vec::new();
    for begin in begins.iter().cycle().take(600) {
        let mut client = RawClient::connect(upstream.address()).await;
        client.send(begin).await;
        clients.push(client);
    }
    serves(&upstream).await;
    // One byte more of each, then they go, every other with a reset.
    for (index, client) in clients.iter_mut().enumerate() {
        // Some were refused and closed.
        let _ = client.stream.write_all(b"x").await;
        if index % 2 == 0 {
            socket2::SockRef::from(&client.stream)
                .set_linger(Some(Duration::ZERO))
                .expect("open");
        }
    }
    drop(clients);
    serves(&upstream).await;
    let ended = async {
        while upstream.open_connections() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("nothing is kept for peers that are gone");
    upstream.stop().await;
}

#[tokio::test]
async fn unfinished_heads_share_a_bound() {
    let upstream = start().await;
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: ".to_owned() + &"x".repeat(1 << 20);
    let mut clients = Vec::new();
    for _ in 0..96 {
        let mut client = RawClient::connect(upstream.address()).await;
        // Refused ones may be closed while this is written.
        let _ = client.stream.write_all(head.as_bytes()).await;
        clients.push(client);
    }
    // 96 MiB do not fit: some are told so, whichever of them are read last.
    let answers = clients
        .iter_mut()
        .map(|client| Box::pin(client.read_until("Too Large")));
    let (answer, _, _) = select_all(answers).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    serves(&upstream).await;
    // The others have lost nothing by it.
    let mut served = 0;
    for client in &mut clients {
        if client.stream.write_all(b"\r\n\r\n").await.is_err() {
            continue;
        }
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, client.stream.read_buf(&mut answer)).await;
        if read.expect("it is answered or closed").is_ok() {
            served += usize::from(answer.starts_with(b"HTTP/1.1 200 "));
        }
    }
    assert!(served >= 8, "{served} of 96");
}

#[tokio::test]
async fn endless_bodies_are_not_kept() {
    let upstream = start().await;
    let mut client = RawClient::connect(upstream.address()).await;
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat();
    // It says so and closes, however much is still to come.
    while client.stream.write_all(&chunk).await.is_ok() {}
    let mut answer = Vec::new();
    // What was sent into a closed connection may have reset it before the answer was read.
    let _ = client.stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413 "),
        "{answer}"
    );
    serves(&upstream).await;
}
