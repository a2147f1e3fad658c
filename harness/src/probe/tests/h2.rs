//! HTTP/2 exchanges, by the library and by frames of our own.

use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Response};
use tokio::net::TcpStream;

use super::peer::Peer;
use crate::patience::Patience;
use crate::probe::{Departure, Ending, H2Frame, ProbeError, RawH2, Request, ResetBy, Upload};
use crate::protocol::Protocol;

type Asked = (http::Request<RecvStream>, SendResponse<Bytes>);

struct Server(Connection<TcpStream, Bytes>);

impl Server {
    async fn accept(peer: &Peer) -> Self {
        let stream = peer.accept().await.stream;
        Self(h2::server::handshake(stream).await.unwrap())
    }

    async fn next(&mut self) -> Asked {
        self.0.accept().await.unwrap().unwrap()
    }

    /// Goes on serving the connection, for a stream that is in hand.
    fn drive(mut self) {
        tokio::spawn(async move { while let Some(Ok(_)) = self.0.accept().await {} });
    }
}

fn get(target: &'static str) -> Request {
    Request::new("GET", target, "api.example.org")
}

fn post() -> Request {
    Request::new("POST", "/v1/responses", "api.example.org")
}

async fn read_all(body: &mut RecvStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.unwrap();
        body.flow_control().release_capacity(bytes.len()).unwrap();
        all.extend_from_slice(&bytes);
    }
    all
}

#[tokio::test]
async fn several_exchanges_on_one_connection() {
    let peer = Peer::listen().await;
    let (connection, server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await },
        Server::accept(&peer)
    );
    let (connection, mut server) = (connection.unwrap(), server);
    let request = get("/1").header("X-Mixed", "1");
    let mut first = connection.open(&request).await.unwrap();
    let mut second = connection.open(&get("/2")).await.unwrap();
    let (asked, mut answer_first) = server.next().await;
    assert_eq!(asked.uri().to_string(), "https://api.example.org/1");
    assert_eq!(asked.headers()["x-mixed"], "1");
    assert_eq!(
        asked.headers()["x-proxyproof-probe"],
        request.probe_id().to_string()
    );
    let (_, mut answer_second) = server.next().await;
    server.drive();
    let response = Response::builder().header("x", "y").body(()).unwrap();
    let mut body = answer_second.send_response(response, false).unwrap();
    body.send_data("hello".into(), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("5"));
    body.send_trailers(trailers).unwrap();
    let answer = second.whole().await.unwrap();
    assert!(answer.is_exactly(b"hello"));
    assert_eq!(answer.head.to_string(), "HTTP/2 200\nx: y\n\n");
    assert_eq!(&answer.trailers[0].name[..], b"x-sum");
    answer_first
        .send_response(Response::builder().status(404).body(()).unwrap(), true)
        .unwrap();
    assert_eq!(first.whole().await.unwrap().status, 404);
}

#[tokio::test]
async fn bodies_are_sent_whole_and_part_by_part() {
    let peer = Peer::listen().await;
    let (connection, mut server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await.unwrap() },
        Server::accept(&peer)
    );
    let large = vec![b'x'; 300_000];
    let mut exchange = connection.open(&post().body(large.clone())).await.unwrap();
    let (mut asked, mut answer) = server.next().await;
    server.drive();
    assert_eq!(asked.headers()["content-length"], "300000");
    assert_eq!(read_all(asked.body_mut()).await, large);
    answer.send_response(Response::new(()), true).unwrap();
    assert_eq!(exchange.whole().await.unwrap().status, 200);
    assert_eq!(exchange.sent().body.upload, Upload::Complete);
}

#[tokio::test]
async fn a_streamed_body_ends_with_trailers() {
    let peer = Peer::listen().await;
    let (connection, mut server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await.unwrap() },
        Server::accept(&peer)
    );
    let request = post().streamed().trailer("X-Sum", "3");
    let mut exchange = connection.open(&request).await.unwrap();
    let (mut asked, mut answer) = server.next().await;
    server.drive();
    assert!(!asked.headers().contains_key("content-length"));
    exchange.write("abc").await.unwrap();
    assert_eq!(asked.body_mut().data().await.unwrap().unwrap(), "abc");
    exchange.finish().await.unwrap();
    assert!(asked.body_mut().data().await.is_none());
    let trailers = asked.body_mut().trailers().await.unwrap().unwrap();
    assert_eq!(trailers["x-sum"], "3");
    answer.send_response(Response::new(()), true).unwrap();
    exchange.whole().await.unwrap();
}

#[tokio::test]
async fn resets_carry_their_code() {
    let peer = Peer::listen().await;
    let (connection, mut server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await.unwrap() },
        Server::accept(&peer)
    );
    let mut before = connection.open(&get("/")).await.unwrap();
    let mut within = connection.open(&get("/")).await.unwrap();
    let (_, mut first) = server.next().await;
    let (_, mut second) = server.next().await;
    server.drive();
    first.send_reset(Reason::REFUSED_STREAM);
    let by = ResetBy::Stream { code: 7 };
    let error = before.whole().await.unwrap_err();
    assert!(
        matches!(error, ProbeError::Reset { by: found } if found == by),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "get an answer: stream reset with REFUSED_STREAM"
    );
    let mut body = second.send_response(Response::new(()), false).unwrap();
    body.send_data("ab".into(), false).unwrap();
    assert_eq!(within.next().await.unwrap().unwrap().bytes, "ab");
    body.send_reset(Reason::INTERNAL_ERROR);
    let answer = within.whole().await.unwrap();
    assert_eq!(answer.ended, Ending::Reset(ResetBy::Stream { code: 2 }));
    assert!(connection.is_usable());
}

#[tokio::test]
async fn a_connection_that_ends_takes_its_streams_along() {
    let peer = Peer::listen().await;
    let (connection, mut server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await.unwrap() },
        Server::accept(&peer)
    );
    let mut exchange = connection.open(&get("/")).await.unwrap();
    let asked = server.next().await;
    server.0.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
    server.drive();
    let error = exchange.whole().await.unwrap_err();
    let by = ResetBy::Connection { code: Some(11) };
    assert!(
        matches!(error, ProbeError::Reset { by: found } if found == by),
        "{error:?}"
    );
    drop(asked);
    let closing = connection.closed_within(Patience::SETTLE).await.unwrap();
    assert_eq!(closing.how, Departure::Reset);
}

#[tokio::test]
async fn an_aborted_exchange_cancels_its_stream_only() {
    let peer = Peer::listen().await;
    let (connection, mut server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await.unwrap() },
        Server::accept(&peer)
    );
    let dropped = connection.open(&post().streamed()).await.unwrap();
    let reset = connection.open(&get("/")).await.unwrap();
    let (_, mut first) = server.next().await;
    let (_, mut second) = server.next().await;
    server.drive();
    drop(dropped);
    reset.reset().await.unwrap();
    for answer in [&mut first, &mut second] {
        let reason = std::future::poll_fn(|cx| answer.poll_reset(cx))
            .await
            .unwrap();
        assert_eq!(reason, Reason::CANCEL);
    }
    assert!(connection.is_usable());
}

#[tokio::test]
async fn a_client_that_stops_reading_closes_its_window() {
    let peer = Peer::listen().await;
    let (connection, mut server) = tokio::join!(
        async { peer.client(Protocol::H2).connect().await.unwrap() },
        Server::accept(&peer)
    );
    let mut exchange = connection.open(&get("/")).await.unwrap();
    let (_, mut answer) = server.next().await;
    server.drive();
    let mut body = answer.send_response(Response::new(()), false).unwrap();
    exchange.head().await.unwrap();
    exchange.stop_reading();
    let window = 256 * 1024;
    let mut sent = 0;
    while sent < window {
        body.reserve_capacity(window);
        let room = std::future::poll_fn(|cx| body.poll_capacity(cx))
            .await
            .unwrap()
            .unwrap();
        body.send_data(vec![b'x'; room].into(), false).unwrap();
        sent += room;
    }
    assert_eq!(sent, window);
    body.reserve_capacity(1);
    let more = std::future::poll_fn(|cx| body.poll_capacity(cx));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), more)
            .await
            .is_err()
    );
    exchange.resume_reading();
    std::future::poll_fn(|cx| body.poll_capacity(cx))
        .await
        .unwrap()
        .unwrap();
    body.send_data("y".into(), true).unwrap();
    assert_eq!(exchange.whole().await.unwrap().length, 256 * 1024 + 1);
}

#[test]
fn what_the_library_would_change_needs_raw_frames() {
    for target in ["/v1/models", "/a%2fb?c=d", "*", "/a//b/../c", "/a|b"] {
        assert!(!get(target).needs_raw_frames(), "{target}");
    }
    for target in ["/a#b", "a", "http://other/", "/a b", "/<"] {
        assert!(get(target).needs_raw_frames(), "{target}");
    }
    assert!(get("/").header("Connection", "close").needs_raw_frames());
    assert!(get("/").without_host().needs_raw_frames());
    assert!(get("/").header("a b", "c").needs_raw_frames());
}

async fn raw_pair(peer: &Peer) -> (RawH2, Server) {
    let client = peer.client(Protocol::H2);
    let (raw, server) = tokio::join!(client.raw_h2(), Server::accept(peer));
    (raw.unwrap(), server)
}

#[tokio::test]
async fn raw_frames_carry_requests_and_their_answers() {
    let peer = Peer::listen().await;
    let (mut raw, mut server) = raw_pair(&peer).await;
    let request = post().chunks(["ab", "c"]).trailer("X-Sum", "3");
    let (stream, sent) = raw.send(&request).await.unwrap();
    assert_eq!(sent.body.length, 3);
    let (mut asked, mut answer) = server.next().await;
    server.drive();
    assert_eq!(read_all(asked.body_mut()).await, b"abc");
    let trailers = asked.body_mut().trailers().await.unwrap().unwrap();
    assert_eq!(trailers["x-sum"], "3");
    let response = Response::builder()
        .status(201)
        .header("server", "nginx")
        .body(());
    let mut body = answer.send_response(response.unwrap(), false).unwrap();
    body.send_data("hello".into(), true).unwrap();
    let answer = raw.answer(stream).await.unwrap();
    assert!(answer.is_exactly(b"hello"));
    assert_eq!(answer.head.to_string(), "HTTP/2 201\nserver: nginx\n\n");
}

#[tokio::test]
async fn raw_frames_show_how_a_peer_refuses() {
    let peer = Peer::listen().await;
    let (mut raw, server) = raw_pair(&peer).await;
    server.drive();
    let request = get("/").header("Connection", "close");
    let (stream, _) = raw.send(&request).await.unwrap();
    let error = raw.answer(stream).await.unwrap_err();
    let by = ResetBy::Stream { code: 1 };
    assert!(
        matches!(error, ProbeError::Reset { by: found } if found == by),
        "{error:?}"
    );

    // DATA on stream 0 is a connection error (RFC 9113 section 6.1).
    raw.frame(&H2Frame::new(H2Frame::DATA, 0, 0, "x"))
        .await
        .unwrap();
    let error = raw.answer(stream).await.unwrap_err();
    let by = ResetBy::Connection { code: Some(1) };
    assert!(
        matches!(error, ProbeError::Reset { by: found } if found == by),
        "{error:?}"
    );
}
