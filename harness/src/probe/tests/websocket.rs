//! WebSocket probes.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::Response;
use proxyproof_mocks::wire::websocket::Frame;

use super::peer::{Accepted, OK, Peer};
use crate::probe::{Departure, FrameEvent, ProbeError, Request, SocketEvent};
use crate::protocol::Protocol;

fn ask() -> Request {
    Request::new("GET", "/v1/responses", "api.example.org").websocket()
}

/// Echoes until the closing handshake is over.
async fn echo(accepted: Accepted) {
    let mut socket = tokio_tungstenite::accept_async(accepted.stream)
        .await
        .unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() || message.is_binary() {
            socket.send(message).await.unwrap();
        }
    }
}

#[tokio::test]
async fn messages_go_both_ways() {
    let peer = Peer::listen().await;
    let client = peer.client(Protocol::H1);
    let probing = async {
        let handshake = client.websocket(&ask()).await.unwrap();
        assert!(handshake.is_accepted() && handshake.has_right_accept());
        let mut socket = handshake.messages().await.unwrap();
        socket.send_fragments(&["a", "b", "c"]).await.unwrap();
        let event = socket.next().await.unwrap();
        assert!(matches!(event, SocketEvent::Text { text, .. } if text == "abc"));
        let large = Bytes::from(vec![7; 4 * 1024 * 1024]);
        socket.send_binary(large.clone()).await.unwrap();
        let event = socket.next().await.unwrap();
        assert!(matches!(event, SocketEvent::Binary { bytes, .. } if bytes == large));
        socket.ping("p").await.unwrap();
        let event = socket.next().await.unwrap();
        assert!(matches!(event, SocketEvent::Pong { payload, .. } if payload == "p"));
        socket.close(4000, "enough").await.unwrap();
        let event = socket.next().await.unwrap();
        assert!(
            matches!(event, SocketEvent::Close { code: Some(4000), reason, .. } if reason == "enough")
        );
        let event = socket.next().await.unwrap();
        assert!(matches!(
            event,
            SocketEvent::Gone {
                how: Departure::Fin,
                ..
            }
        ));
    };
    tokio::join!(async { echo(peer.accept().await).await }, probing);
}

#[tokio::test]
async fn a_refusal_is_an_answer() {
    let peer = Peer::listen().await;
    let client = peer.client(Protocol::H1);
    let request = ask();
    let refusing = async {
        let mut accepted = peer.accept().await;
        let head = accepted.read_head().await;
        assert!(head.contains("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
        accepted
            .write(OK.replace("200 OK", "426 Upgrade Required"))
            .await;
    };
    let (handshake, ()) = tokio::join!(client.websocket(&request), refusing);
    let handshake = handshake.unwrap();
    assert_eq!(handshake.answer().text(), "ok");
    let error = handshake.frames().unwrap_err();
    assert!(matches!(error, ProbeError::Refused { answer } if answer.status == 426));
}

#[tokio::test]
async fn early_frames_ride_with_the_handshake() {
    let peer = Peer::listen().await;
    let client = peer.client(Protocol::H1);
    let request = ask();
    let early = Frame::text("early").masked([1, 2, 3, 4]).to_bytes();
    let probing = client.websocket_with(&request, early);
    let (handshake, mut accepted) = tokio::join!(probing, async {
        let mut accepted = peer.accept().await;
        accepted.read_head().await;
        let frame = Frame::text("at once").to_bytes();
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        accepted.write([&head[..], &frame].concat()).await;
        accepted
    });
    accepted
        .read_until(&[b'e' ^ 1, b'a' ^ 2, b'r' ^ 3, b'l' ^ 4, b'y' ^ 1])
        .await;
    let mut frames = handshake.unwrap().frames().unwrap();
    let event = frames.next().await.unwrap();
    assert!(matches!(event, FrameEvent::Frame { frame, .. } if frame.payload == "at once"));
    accepted.write([0x81, 5, b'h']).await;
    drop(accepted);
    let event = frames.next().await.unwrap();
    let FrameEvent::Gone { rest, .. } = event else {
        panic!("{event:?}");
    };
    assert_eq!(rest, &b"\x81\x05h"[..]);
}

#[tokio::test]
async fn extended_connect_carries_messages() {
    let peer = Peer::listen().await;
    let client = peer.client(Protocol::H2);
    let serving = async {
        let stream = peer.accept().await.stream;
        let mut builder = h2::server::Builder::new();
        builder.enable_connect_protocol();
        let mut connection = builder.handshake::<_, Bytes>(stream).await.unwrap();
        let (mut asked, mut answer) = connection.accept().await.unwrap().unwrap();
        let driving =
            tokio::spawn(async move { while let Some(Ok(_)) = connection.accept().await {} });
        assert_eq!(
            asked
                .extensions()
                .get::<h2::ext::Protocol>()
                .unwrap()
                .as_str(),
            "websocket"
        );
        assert_eq!(asked.method(), http::Method::CONNECT);
        assert_eq!(asked.uri().path(), "/v1/responses");
        assert!(!asked.headers().contains_key("sec-websocket-key"));
        let mut outgoing = answer.send_response(Response::new(()), false).unwrap();
        let received = asked.body_mut().data().await.unwrap().unwrap();
        assert_eq!(received.len(), 6 + 5);
        outgoing
            .send_data(Frame::text("hello").to_bytes(), false)
            .unwrap();
        // The drop of the probe ends the stream.
        assert!(!matches!(asked.body_mut().data().await, Some(Ok(_))));
        driving.abort();
    };
    let probing = async {
        let handshake = client.websocket(&ask()).await.unwrap();
        assert_eq!(handshake.answer().status, 200);
        let mut socket = handshake.messages().await.unwrap();
        socket.send_text("hello").await.unwrap();
        let event = socket.next().await.unwrap();
        assert!(matches!(event, SocketEvent::Text { text, .. } if text == "hello"));
        socket.reset().unwrap();
    };
    tokio::join!(serving, probing);
}

#[tokio::test]
async fn without_the_setting_there_is_no_extended_connect() {
    let peer = Peer::listen().await;
    let client = peer.client(Protocol::H2);
    let serving = async {
        let stream = peer.accept().await.stream;
        let mut connection = h2::server::handshake(stream).await.unwrap();
        assert!(connection.accept().await.is_none());
    };
    let request = ask();
    let (error, ()) = tokio::join!(
        async { client.websocket(&request).await.unwrap_err() },
        serving
    );
    assert!(error.to_string().contains("RFC 8441"), "{error}");
}
