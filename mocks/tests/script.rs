//! Scripts over real sockets: what an upstream does to one request, and what the ledger says of it.

mod raw_client;

use std::time::Duration;

use proxyproof_mocks::ledger::{Arrival, How};
use proxyproof_mocks::upstream::{After, Exchange, Request, RunningUpstream, Server, Service};
use proxyproof_mocks::wire::http1::Response;
use proxyproof_mocks::wire::websocket::{Frame, Opcode, take_frame};
use proxyproof_mocks::{EventFraming, Gate, ProbeId, Script};
use raw_client::{End, PATIENCE, RawClient, head};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

struct Teapot;

impl Service for Teapot {
    async fn serve(&self, _: &Request, exchange: &mut Exchange) -> After {
        exchange.respond(Response::new(418)).await
    }
}

async fn start() -> RunningUpstream {
    Server::new("teapot", Teapot)
        .start()
        .await
        .expect("a loopback port is free")
}

/// A client whose request was sent and is answered by this script.
async fn scripted(
    upstream: &RunningUpstream,
    script: Script,
    line: &str,
    fields: &str,
) -> (RawClient, ProbeId) {
    let probe = ProbeId::fresh();
    upstream.script(probe, script);
    let mut client = RawClient::connect(upstream.address()).await;
    client.send(head(probe, line, fields)).await;
    (client, probe)
}

async fn until<T>(
    upstream: &RunningUpstream,
    probe: ProbeId,
    mut look: impl FnMut(&Arrival) -> Option<T>,
) -> T {
    let look = |arrivals: &[Arrival]| look(arrivals.first()?);
    upstream
        .ledger()
        .until(probe, PATIENCE, look)
        .await
        .expect("it happens")
}

fn reset(client: RawClient) {
    socket2::SockRef::from(&client.stream)
        .set_linger(Some(Duration::ZERO))
        .expect("open");
}

#[tokio::test]
async fn a_reply_keeps_the_connection_for_the_next_request() {
    let upstream = start().await;
    let script = Script::new().read_body().reply(200, "text/plain", "hello");
    let (mut client, probe) = scripted(&upstream, script, "POST /", "Content-Length: 4\r\n").await;
    client.send("body").await;
    let answer = client.read_until("hello").await;
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
    );
    client.send(head(probe, "HEAD /", "")).await;
    client.read_until("Content-Length: 5\r\n\r\n").await;
    client.send(head(ProbeId::fresh(), "GET /", "")).await;
    assert!(
        client
            .read_until("Content-Length: 0\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 418")
    );
    let arrivals = upstream.ledger().arrivals(probe);
    assert_eq!(
        arrivals
            .iter()
            .map(|arrival| arrival.request_number)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(&arrivals[0].body.prefix[..], b"body");
}

#[tokio::test]
async fn events_in_lock_step_each_in_a_write_of_its_own() {
    let upstream = start().await;
    let gate = Gate::new();
    let script = Script::new()
        .sse_head(EventFraming::Chunked)
        .gate(&gate)
        .event("one")
        .gate(&gate)
        .event("two\nlines")
        .last_chunk_with_trailers(&[("X-T", "1")]);
    let (mut client, probe) = scripted(&upstream, script, "GET /", "").await;
    let answer = client.read_until("\r\n\r\n").await;
    assert!(
        answer.contains("Content-Type: text/event-stream\r\n")
            && answer.contains("Transfer-Encoding: chunked")
    );
    gate.open(1);
    client.read_until("b\r\ndata: one\n\n\r\n").await;
    gate.open(1);
    assert_eq!(
        client.read_until("0\r\nX-T: 1\r\n\r\n").await,
        "17\r\ndata: two\ndata: lines\n\n\r\n0\r\nX-T: 1\r\n\r\n"
    );
    let arrival = until(&upstream, probe, |arrival| {
        arrival.finished.map(|_| arrival.clone())
    })
    .await;
    assert_eq!(arrival.writes.len(), 4);
    assert!(arrival.writes.is_sorted_by_key(|write| write.at));
    assert_eq!(arrival.peer_gone, None);
}

#[tokio::test]
async fn connections_end_as_the_script_says() {
    let upstream = start().await;
    let cases = [
        (Script::new().fin(), "", End::Fin),
        (Script::new().rst(), "", End::Reset),
        (
            Script::new().bytes("HTTP/1.1 2").fin(),
            "HTTP/1.1 2",
            End::Fin,
        ),
        (
            Script::new().sse_head(EventFraming::Close).event("x"),
            "data: x\n\n",
            End::Fin,
        ),
        (
            Script::new()
                .head(200, &[("Content-Length", "9")])
                .bytes("a")
                .fin(),
            "Content-Length: 9\r\n\r\na",
            End::Fin,
        ),
        (Script::new().half_close(), "", End::Fin),
    ];
    for (script, ending, end) in cases {
        let told = format!("{script:?}");
        // The body is never read: a FIN is a FIN all the same.
        let (mut client, _) =
            scripted(&upstream, script, "POST /", "Content-Length: 100000\r\n").await;
        // The upstream may have reset already.
        let _ = client.stream.write_all(&[b'x'; 100_000]).await;
        let (answer, ended) = client.read_to_end().await;
        assert!(
            answer.ends_with(ending) && ended == end,
            "{told}: {answer:?} {ended:?}"
        );
    }
}

#[tokio::test]
async fn whatever_a_script_waits_for_it_notices_the_peers_end() {
    let upstream = start().await;
    let waits = [
        Script::new().gate(&Gate::new()),
        Script::new().pause(PATIENCE * 10),
        Script::new().until_peer_gone(),
        Script::new().fill(u64::MAX, 64 * 1024),
    ];
    for how in [How::Fin, How::Reset] {
        for wait in &waits {
            for fields in ["", "Content-Length: 10\r\n"] {
                let told = format!("{how:?} {wait:?} {fields:?}");
                let (mut client, probe) = scripted(&upstream, wait.clone(), "POST /", fields).await;
                if !fields.is_empty() {
                    client.send("unread").await;
                }
                until(&upstream, probe, |_| Some(())).await;
                let filling = told.contains("Fill");
                match how {
                    How::Reset => reset(client),
                    // A FIN alone does not stop a writer; the close behind it does.
                    How::Fin if !filling => client.stream.shutdown().await.expect("open"),
                    How::Fin => drop(client),
                }
                let gone = until(&upstream, probe, |arrival| {
                    arrival.finished.and(arrival.peer_gone)
                })
                .await;
                assert!(filling || gone.how == how, "{told}: {gone:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_read_stays_in_the_socket() {
    let upstream = start().await;
    let gate = Gate::new();
    let script = Script::new()
        .read_body_bytes(10)
        .gate(&gate)
        .read_body()
        .reply(200, "x", "done");
    let total = 64 << 20;
    let (mut client, probe) = scripted(
        &upstream,
        script,
        "POST /",
        &format!("Content-Length: {total}\r\n"),
    )
    .await;
    let piece = vec![b'x'; 64 * 1024];
    let mut sent = 0_usize;
    // The peer's window and our buffer fill up: writing does not go on.
    while let Ok(written) =
        tokio::time::timeout(Duration::from_secs(1), client.stream.write(&piece)).await
    {
        sent += written.expect("open");
        assert!(sent < total, "nothing held the client back");
    }
    assert_eq!(
        until(&upstream, probe, |arrival| Some(arrival.body.length)).await,
        10
    );
    gate.open(1);
    while sent < total {
        sent += client
            .stream
            .write(&piece[..piece.len().min(total - sent)])
            .await
            .expect("open");
    }
    client.read_until("done").await;
    assert_eq!(
        until(&upstream, probe, |arrival| Some(arrival.body.length)).await,
        total as u64
    );
}

#[tokio::test]
async fn filling_is_held_back_by_a_client_that_does_not_read() {
    let upstream = start().await;
    let total = 64_u64 << 20;
    let script = Script::new()
        .head(200, &[("Content-Length", &total.to_string())])
        .fill(total, 16 * 1024);
    let (mut client, probe) = scripted(&upstream, script, "GET /", "").await;
    let mut before = 0;
    // Writing comes to a stop when the buffers are full.
    loop {
        tokio::time::timeout(Duration::from_millis(500), std::future::pending::<()>())
            .await
            .expect_err("pending");
        let written = until(&upstream, probe, |arrival| Some(arrival.written)).await;
        if written == before {
            break;
        }
        before = written;
    }
    assert!(before < total, "nothing held the upstream back");
    let mut read = 0;
    let mut scrap = vec![0; 256 * 1024];
    while read < total {
        read += client.stream.read(&mut scrap).await.expect("open") as u64;
    }
    until(&upstream, probe, |arrival| arrival.finished).await;
}

#[tokio::test]
async fn websockets_echo_and_close() {
    let upstream = start().await;
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let script = Script::new()
        .accept_websocket()
        .frame(&Frame::text("hi"))
        .read_frame()
        .echo_websocket();
    let (mut client, probe) = scripted(&upstream, script, "GET /", handshake).await;
    let answer = client.read_until("hi").await;
    assert!(
        answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        "{answer}"
    );
    let mask = [1, 2, 3, 4];
    for frame in [
        Frame::text("read"),
        Frame::binary("echo"),
        Frame::ping("p"),
        Frame::close(4000, "why"),
    ] {
        client.send(frame.masked(mask).to_bytes()).await;
    }
    let mut buffer = bytes::BytesMut::new();
    while client
        .stream
        .read_buf(&mut buffer)
        .await
        .expect("a FIN ends it")
        > 0
    {}
    let mut frames = Vec::new();
    while let Some(frame) = take_frame(&mut buffer, 1000).expect("small") {
        frames.push(frame);
    }
    assert_eq!(
        frames,
        [
            Frame::binary("echo"),
            Frame::pong("p"),
            Frame::close(4000, "why")
        ]
    );
    let arrival = until(&upstream, probe, |arrival| {
        arrival.finished.map(|_| arrival.clone())
    })
    .await;
    assert!(arrival.upgraded.is_some());
    let read: Vec<Opcode> = arrival.frames.iter().map(|frame| frame.opcode).collect();
    assert_eq!(
        read,
        [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Close]
    );
}

#[tokio::test]
async fn a_default_script_serves_whoever_has_none() {
    let upstream = start().await;
    upstream.default_script(Some(Script::new().reply(503, "x", "down")));
    let mut client = RawClient::connect(upstream.address()).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_until("down").await;
    upstream.default_script(None);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_until("Content-Length: 0\r\n\r\n").await;
    assert_eq!(upstream.ledger().seen(), 2);
}
