//! Raw connections.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::peer::{OK, Peer};
use crate::patience::Patience;
use crate::probe::{Departure, Step};
use crate::protocol::Protocol;

#[tokio::test]
async fn split_writes_are_read_one_by_one() {
    let peer = Peer::listen().await;
    let mut raw = peer.client(Protocol::H1).raw().await.unwrap();
    let mut accepted = peer.accept().await;
    let reading = async {
        let mut reads = Vec::new();
        let mut block = [0; 64];
        while reads.len() < 4 {
            let length = accepted.stream.read(&mut block).await.unwrap();
            reads.push(String::from_utf8_lossy(&block[..length]).into_owned());
        }
        reads
    };
    let parts: [&[u8]; 4] = [b"PRO", b"XY TC", b"P4", b"\r\n"];
    let both = async { tokio::join!(raw.write_split(&parts), reading) };
    let both = Patience::SETTLE.within("four reads", both).await;
    let (written, reads) = both.expect("no two parts are read as one");
    written.unwrap();
    assert_eq!(reads, ["PRO", "XY TC", "P4", "\r\n"]);
}

#[tokio::test]
async fn pipelined_answers_are_told_apart() {
    let peer = Peer::listen().await;
    let mut raw = peer.client(Protocol::H1).raw().await.unwrap();
    raw.write("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut accepted = peer.accept().await;
    accepted.read_until(b"GET /2 HTTP/1.1\r\n\r\n").await;
    accepted
        .write([OK, &OK.replace("200", "404")].concat())
        .await;
    assert_eq!(raw.answer("GET").await.unwrap().status, 200);
    assert_eq!(raw.answer("GET").await.unwrap().status, 404);
    assert_eq!(raw.received().reads.len(), 1);
    drop(accepted);
    let end = raw.read_to_end(Patience::SETTLE).await.unwrap();
    assert_eq!(
        (end.departure, end.status()),
        (Some(Departure::Fin), Some(200))
    );
}

#[tokio::test]
async fn half_close_leaves_the_answer_readable() {
    let peer = Peer::listen().await;
    let mut raw = peer.client(Protocol::H1).raw().await.unwrap();
    raw.write("hello").await.unwrap();
    raw.half_close().await.unwrap();
    let mut accepted = peer.accept().await;
    let mut all = Vec::new();
    accepted.stream.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"hello");
    accepted.write("bye").await;
    let enough = |bytes: &[u8]| bytes.ends_with(b"bye");
    raw.read_until(Patience::SETTLE, enough).await.unwrap();
    let quiet = Patience::new("test", Duration::from_millis(20));
    assert_eq!(raw.read_until_quiet(quiet).await.departure, None);
    accepted.reset();
    let step = raw.read(Patience::SETTLE).await.unwrap();
    assert_eq!(step, Step::Departed(Departure::Reset));
}

#[tokio::test]
async fn a_raw_reset_is_seen_as_one() {
    let peer = Peer::listen().await;
    let raw = peer.client(Protocol::H1).bare().raw().await.unwrap();
    let mut accepted = peer.accept().await;
    raw.reset().unwrap();
    let error = accepted.stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
