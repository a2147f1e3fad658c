//! HTTP/1 exchanges.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::peer::{OK, Peer};
use crate::patience::Patience;
use crate::probe::{
    Answer, Delimited, Departure, Ending, EventStream, ProbeError, ProxyHeader, Request, ResetBy,
    Upload,
};
use crate::protocol::Protocol;

const SHORT: Patience = Patience::new("test", Duration::from_millis(50));

fn get(target: &'static str) -> Request {
    Request::new("GET", target, "api.example.org").untagged()
}

/// Sends a GET and has the peer answer with these bytes, then close or reset.
async fn answered(bytes: &[u8], end: Departure) -> Result<Answer, ProbeError> {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let mut exchange = connection.open(&get("/")).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    accepted.write(bytes).await;
    if end == Departure::Reset {
        // A reset takes bytes with it that the client has not read yet.
        if !bytes.is_empty() {
            exchange.head().await.unwrap();
            exchange.next().await.unwrap();
        }
        accepted.reset();
    } else {
        drop(accepted);
    }
    exchange.whole().await
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let peer = Peer::listen().await;
    let client = peer.client(Protocol::H1).header(ProxyHeader::V1).from(
        "198.51.100.23:4711"
            .parse::<std::net::SocketAddr>()
            .unwrap(),
    );
    let connection = client.connect().await.unwrap();
    let mut accepted = peer.accept().await;
    for target in ["/1", "/2"] {
        let mut exchange = connection.open(&get(target)).await.unwrap();
        let head = accepted.read_head().await;
        let header = "PROXY TCP4 198.51.100.23 192.0.2.1 4711 443\r\n";
        let expected = format!("GET {target} HTTP/1.1\r\nHost: api.example.org\r\n\r\n");
        assert_eq!(head.trim_start_matches(header), expected);
        assert_eq!(head.starts_with(header), target == "/1");
        assert!(!connection.is_usable());
        accepted.write(OK).await;
        let answer = exchange.whole().await.unwrap();
        assert!(answer.is_exactly(b"ok"));
        assert_eq!(exchange.sent().head.to_string(), expected.replace('\r', ""));
        assert!(connection.is_usable());
    }
    drop(accepted);
    let closing = connection.closed_within(Patience::SETTLE).await.unwrap();
    assert_eq!(closing.how, Departure::Fin);
}

#[tokio::test]
async fn endings_are_told_apart() {
    let length = &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"[..];
    let close = &b"HTTP/1.1 200 OK\r\n\r\nab"[..];
    let chunked = &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"[..];
    let whole = [chunked, b"0\r\nX-Sum: 1\r\n\r\n"].concat();
    let broken = [chunked, b"zz\r\n"].concat();
    let reset = Ending::Reset(ResetBy::Tcp);
    for (bytes, how, ended, delimited) in [
        (
            length,
            Departure::Fin,
            Ending::Truncated,
            Delimited::Length(3),
        ),
        (
            length,
            Departure::Reset,
            reset.clone(),
            Delimited::Length(3),
        ),
        (close, Departure::Fin, Ending::Closed, Delimited::Close),
        (close, Departure::Reset, reset.clone(), Delimited::Close),
        (
            chunked,
            Departure::Fin,
            Ending::Truncated,
            Delimited::Chunked,
        ),
        (chunked, Departure::Reset, reset, Delimited::Chunked),
        (&whole, Departure::Fin, Ending::Complete, Delimited::Chunked),
    ] {
        let answer = answered(bytes, how).await.unwrap();
        assert_eq!((&answer.ended, answer.delimited), (&ended, delimited));
        assert_eq!(answer.text(), "ab");
        assert_eq!(answer.trailers.len(), usize::from(bytes == whole));
    }
    let answer = answered(&broken, Departure::Fin).await.unwrap();
    assert!(
        matches!(answer.ended, Ending::Malformed { .. }),
        "{answer:?}"
    );
}

#[tokio::test]
async fn no_answer_is_told_apart_too() {
    let none = answered(b"", Departure::Fin).await.unwrap_err();
    assert!(none.closed_without_a_byte());
    assert_eq!(none.departure(), Some(Departure::Fin));
    let none = answered(b"", Departure::Reset).await.unwrap_err();
    assert_eq!(none.departure(), Some(Departure::Reset));
    let half = answered(b"HTTP/1.1 200 OK\r\nX", Departure::Fin).await;
    assert!(matches!(half, Err(ProbeError::Closed { received, .. }) if received.len() == 18));
    let other = answered(b"220 mail.example.org\r\n", Departure::Fin).await;
    assert!(
        matches!(other, Err(ProbeError::Malformed { .. })),
        "{other:?}"
    );
}

#[tokio::test]
async fn pieces_keep_the_bounds_of_chunks() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let mut exchange = connection.open(&get("/")).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted
        .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n2\r\nd")
        .await;
    let mut pieces = Vec::new();
    for _ in 0..3 {
        let piece = exchange.next().await.unwrap().unwrap();
        pieces.push((piece.bytes, piece.chunk));
    }
    accepted.write("e\r\n0\r\n\r\n").await;
    let piece = exchange.next().await.unwrap().unwrap();
    pieces.push((piece.bytes, piece.chunk));
    assert_eq!(exchange.next().await.unwrap(), None);
    assert_eq!(
        pieces,
        [
            ("a".into(), 0),
            ("bc".into(), 1),
            ("d".into(), 2),
            ("e".into(), 2)
        ]
    );
}

#[tokio::test]
async fn the_body_waits_for_permission() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let request = Request::new("POST", "/", "h")
        .body("hello")
        .expect_continue();
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    let head = accepted.read_head().await;
    assert!(
        head.contains("Expect: 100-continue\r\nContent-Length: 5\r\n"),
        "{head}"
    );
    accepted.write("HTTP/1.1 100 Continue\r\n\r\n").await;
    let permission = exchange.informational().await.unwrap().unwrap();
    assert_eq!(permission.status, 100);
    accepted.read_until(b"hello").await;
    accepted.write(OK).await;
    let answer = exchange.whole().await.unwrap();
    assert_eq!((answer.status, answer.informational.len()), (200, 1));
    assert_eq!(exchange.sent().body.upload, Upload::Complete);
    assert!(connection.is_usable());
}

#[tokio::test]
async fn the_body_stays_away_after_a_refusal() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let request = Request::new("POST", "/", "h")
        .body("hello")
        .expect_continue();
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    accepted
        .write("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
        .await;
    assert_eq!(exchange.whole().await.unwrap().status, 417);
    drop(exchange);
    let mut rest = Vec::new();
    accepted.stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn a_streamed_body_goes_out_part_by_part() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let request = Request::new("POST", "/", "h")
        .streamed()
        .trailer("X-Sum", "3");
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    exchange.write("abc").await.unwrap();
    accepted.read_until(b"3\r\nabc\r\n").await;
    assert_eq!(exchange.sent().body.upload, Upload::Open);
    exchange.finish().await.unwrap();
    accepted.read_until(b"0\r\nX-Sum: 3\r\n\r\n").await;
    accepted.write(OK).await;
    assert!(exchange.whole().await.unwrap().is_exactly(b"ok"));
    assert!(connection.is_usable());
    let body = exchange.sent().body;
    assert_eq!((body.length, body.upload), (3, Upload::Complete));
}

#[tokio::test]
async fn an_early_answer_comes_through_an_upload_nobody_reads() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let body = vec![b'x'; 64 * 1024 * 1024];
    let request = Request::new("POST", "/", "h").body(body);
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    accepted
        .write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        .await;
    let answer = exchange.whole().await.unwrap();
    assert_eq!((answer.status, &answer.ended), (413, &Ending::Complete));
    assert_eq!(exchange.sent().body.upload, Upload::Open);
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn a_reset_is_seen_as_one_and_a_drop_ends_the_connection() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let exchange = connection.open(&get("/")).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    exchange.reset().await.unwrap();
    let error = accepted.stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let exchange = connection.open(&get("/")).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    drop(exchange);
    assert_eq!(accepted.stream.read(&mut [0; 9]).await.unwrap(), 0);
    let again = connection.open(&get("/")).await.unwrap_err();
    assert!(matches!(again, ProbeError::Unusable { .. }));
}

#[tokio::test]
async fn a_client_that_stops_reading_blocks_the_peer() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let mut exchange = connection.open(&get("/")).await.unwrap();
    let mut accepted = peer.accept().await;
    let total = 64 * 1024 * 1024;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n");
    accepted.write(head).await;
    exchange.head().await.unwrap();
    exchange.stop_reading();
    let block = vec![b'x'; total];
    let writing = accepted.write(&block);
    tokio::pin!(writing);
    let blocked = tokio::time::timeout(SHORT.limit, &mut writing).await;
    assert!(blocked.is_err(), "64 MiB do not fit in between");
    exchange.resume_reading();
    let (answer, ()) = tokio::join!(exchange.whole(), writing);
    assert!(answer.unwrap().is_exactly(&block));
}

#[tokio::test]
async fn an_upload_nobody_reads_blocks_and_goes_on() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let total: u64 = 64 * 1024 * 1024;
    let request = Request::new("POST", "/", "h").streamed_length(total);
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    let part = bytes::Bytes::from(vec![b'x'; 1024 * 1024]);
    let taken = exchange
        .write_until_blocked(part, total, SHORT)
        .await
        .unwrap();
    assert!(taken < total, "{taken} bytes do not fit in between");
}

#[tokio::test]
async fn silence_says_what_was_awaited_and_what_came() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let mut exchange = connection.open(&get("/")).await.unwrap().patience(SHORT);
    let _accepted = peer.accept().await;
    let error = exchange.whole().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("see the answer's head within"), "{text}");
    assert!(
        text.ends_with("(test), last seen: nothing since the request was sent (0 bytes of body)"),
        "{text}"
    );
}

#[tokio::test]
async fn events_come_in_lock_step() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let mut events = EventStream::of(connection.open(&get("/")).await.unwrap());
    let mut accepted = peer.accept().await;
    accepted.read_head().await;
    accepted
        .write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        .await;
    assert_eq!(events.head().await.unwrap().status, 200);
    for data in ["1", "2"] {
        accepted.write(format!("data: {data}\n\n")).await;
        assert_eq!(events.next().await.unwrap().unwrap().data, data);
    }
    drop(accepted);
    assert_eq!(events.next().await.unwrap(), None);
    let ended = events.exchange().so_far().unwrap().ended;
    assert_eq!(ended, Ending::Closed);
}

#[tokio::test]
async fn an_answer_to_head_has_no_body() {
    let peer = Peer::listen().await;
    let connection = peer.client(Protocol::H1).connect().await.unwrap();
    let request = Request::new("HEAD", "/", "h");
    let mut exchange = connection.open(&request).await.unwrap();
    let mut accepted = peer.accept().await;
    accepted
        .write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        .await;
    let answer = exchange.whole().await.unwrap();
    assert_eq!((answer.delimited, answer.length), (Delimited::NoBody, 0));
    assert!(connection.is_usable());
}
