//! WebSocket over HTTP/1.1.

use crate::rig::{Proxy, Wire, values};

const HANDSHAKE: &str = "GET /v1/responses HTTP/1.1\r\nHost: api.example.org\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

async fn joined(proxy: &Proxy) -> (Wire, Wire) {
    let mut client = proxy.client().await;
    client.send(HANDSHAKE).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send(SWITCH).await;
    client.head().await;
    (client, cpa)
}

#[tokio::test]
async fn a_handshake_passes_and_bytes_flow_both_ways() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    // Frames may come right behind the handshake, on both sides.
    client.send(format!("{HANDSHAKE}early")).await;
    let mut cpa = proxy.cpa().await;
    let head = cpa.head().await;
    for (name, value) in [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-extensions", "permessage-deflate"),
    ] {
        assert_eq!(values(&head, name), [value], "{head}");
    }
    cpa.send(format!("{SWITCH}first")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(
        values(&head, "sec-websocket-accept"),
        ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    );
    assert_eq!(client.take(5).await, b"first");
    assert_eq!(cpa.take(5).await, b"early");
    for _ in 0..3 {
        client.send("up").await;
        assert_eq!(cpa.take(2).await, b"up");
        cpa.send("down").await;
        assert_eq!(client.take(4).await, b"down");
    }
    let big = vec![7; 4 << 20];
    tokio::join!(client.send(&big), cpa.skip(big.len()));
    tokio::join!(cpa.send(&big), client.skip(big.len()));
}

#[tokio::test]
async fn either_end_takes_the_other_with_it() {
    let proxy = Proxy::plain().await;
    for is_reset in [false, true] {
        let (client, mut cpa) = joined(&proxy).await;
        if is_reset {
            client.reset()
        } else {
            drop(client)
        }
        assert_eq!(cpa.rest().await, "");
        let (mut client, cpa) = joined(&proxy).await;
        if is_reset {
            cpa.reset()
        } else {
            drop(cpa)
        }
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn the_last_words_of_an_end_that_half_closes_arrive() {
    let proxy = Proxy::plain().await;
    let (mut client, mut cpa) = joined(&proxy).await;
    client.send("bye").await;
    client.half_close().await;
    assert_eq!(cpa.rest().await, "bye");
    cpa.send("farewell").await;
    drop(cpa);
    assert_eq!(client.rest().await, "farewell");
}

#[tokio::test]
async fn a_tunnel_that_is_silent_ends() {
    let proxy = Proxy::start("[timeouts]\nread_ms = 200\n").await;
    let (mut client, mut cpa) = joined(&proxy).await;
    // Bytes in either direction keep it open beyond the limit.
    for _ in 0..4 {
        crate::rig::pause(100).await;
        client.send("x").await;
        cpa.take(1).await;
    }
    assert_eq!(client.rest().await, "");
    assert_eq!(cpa.rest().await, "");
}

#[tokio::test]
async fn a_refused_handshake_is_a_plain_answer() {
    let proxy = Proxy::plain().await;
    let mut client = proxy.client().await;
    client.send(HANDSHAKE).await;
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nno").await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
    assert_eq!(values(&head, "upgrade"), ["websocket"]);
    assert_eq!(client.take(2).await, b"no");
    client.send(crate::rig::GET).await;
    assert!(
        cpa.head().await.starts_with("GET /v1/models"),
        "both connections go on"
    );
}

#[tokio::test]
async fn nothing_else_is_upgraded() {
    let proxy = Proxy::plain().await;
    for fields in [
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAA\r\n",
        "Upgrade: websocket\r\n",
        "Upgrade: TLS/1.0\r\nConnection: upgrade\r\n",
    ] {
        let mut client = proxy.client().await;
        client
            .send(format!(
                "GET / HTTP/1.1\r\nHost: api.example.org\r\n{fields}\r\n"
            ))
            .await;
        let mut cpa = proxy.cpa().await;
        let head = cpa.head().await;
        for name in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(values(&head, name), [""; 0], "{fields}");
        }
        // A switch that nobody asked for is no answer.
        cpa.send(SWITCH).await;
        assert!(client.head().await.starts_with("HTTP/1.1 502 "));
    }
}

#[tokio::test]
async fn defects_change_the_tunnel() {
    let text = [0x81, 2, b'h', b'i'];
    let ping = [0x89, 0];
    let close = [0x88, 4, 0x03, 0xe9, b'o', b'k'];
    let all = [&text[..], &ping, &close].concat();
    for (defect, expected) in [
        ("swallow_pings", [&text[..], &close].concat()),
        (
            "lose_close_reason",
            [&text[..], &ping, &[0x88, 2, 0x03, 0xe8]].concat(),
        ),
    ] {
        let proxy = Proxy::with_defect(defect).await;
        let (mut client, mut cpa) = joined(&proxy).await;
        cpa.send(&all).await;
        assert_eq!(client.take(expected.len()).await, expected, "{defect}");
    }
    let proxy = Proxy::with_defect("cut_on_close").await;
    let (mut client, mut cpa) = joined(&proxy).await;
    cpa.send(close).await;
    assert_eq!(client.rest().await, "");

    let proxy = Proxy::with_defect("never_upgrade").await;
    let mut client = proxy.client().await;
    client.send(HANDSHAKE).await;
    assert_eq!(values(&proxy.cpa().await.head().await, "upgrade"), [""; 0]);

    let proxy = Proxy::with_defect("upgrade_any_token").await;
    let mut client = proxy.client().await;
    client.send("GET / HTTP/1.1\r\nHost: api.example.org\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n").await;
    let mut cpa = proxy.cpa().await;
    assert_eq!(values(&cpa.head().await, "upgrade"), ["h2c"]);
    cpa.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nh2")
        .await;
    client.head().await;
    assert_eq!(client.take(2).await, b"h2");

    let proxy = Proxy::with_defect("ignore_tunnel_abort").await;
    let (client, mut cpa) = joined(&proxy).await;
    drop(client);
    assert!(cpa.is_silent(100).await);
}
