//! The server all upstreams share, over real sockets: what Go's does before and after a handler.

mod raw_client;

use std::time::Duration;

use proxyproof_mocks::ledger::{Framing, How};
use proxyproof_mocks::upstream::{
    After, AtAccept, Exchange, Protocols, Request, RespConnection, Rules, RunningUpstream, Server,
    Service,
};
use proxyproof_mocks::wire::http1::Response;
use proxyproof_mocks::{ProbeId, Script};
use raw_client::{End, PATIENCE, RawClient, head};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

/// Echoes bodies; `/ignore` answers without reading; `/stream` streams until the client is gone; `/big` is chunked.
struct Echo;

impl Service for Echo {
    async fn serve(&self, request: &Request, exchange: &mut Exchange) -> After {
        let plain = || {
            Response::new(200)
                .field("Date", "D")
                .field("Content-Type", "text/plain")
        };
        match &*request.path() {
            "/ignore" => exchange.respond(plain().body("ignored")).await,
            "/big" => exchange.respond(plain().body(vec![b'x'; 3000])).await,
            "/panic" => panic!("asked to"),
            "/stream" => {
                let gone = exchange.client_gone();
                exchange
                    .start(plain())
                    .await
                    .expect("nothing is written yet");
                exchange.write(b"first").await.expect("fits the buffer");
                exchange.flush().await.expect("the client reads");
                gone.await;
                After::Close
            }
            _ => match exchange.read_body(1 << 30).await {
                Ok(body) => exchange.respond(plain().body(body)).await,
                Err(error) => exchange.respond(plain().body(error.to_string())).await,
            },
        }
    }

    async fn resp(&self, mut connection: RespConnection) {
        while let Ok(Some(words)) = connection.command().await {
            let reply = format!("+{}\r\n", words.len());
            if connection.write(reply.as_bytes()).await.is_err() {
                return;
            }
        }
        let _ = connection.write(b"-ERR protocol error\r\n").await;
    }
}

async fn start() -> RunningUpstream {
    start_by(Rules::default()).await
}

async fn start_by(rules: Rules) -> RunningUpstream {
    Server::new("echo", Echo)
        .rules(rules)
        .start()
        .await
        .expect("a loopback port is free")
}

const CLOSED: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request";

#[tokio::test]
async fn requests_follow_each_other_on_a_connection() {
    let upstream = start().await;
    let mut client = RawClient::connect(upstream.address()).await;
    let (first, second) = (ProbeId::fresh(), ProbeId::fresh());
    client
        .send(head(first, "POST /", "Content-Length: 2\r\n") + "hi")
        .await;
    let answer = client.read_until("hi").await;
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: D\r\nContent-Length: 2\r\n\r\nhi"
    );
    // Two line ends too many, and two requests at once.
    client
        .send(
            "\r\n".to_owned()
                + &head(second, "GET /a?b", "")
                + "GET /c HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await;
    client.read_until("Content-Length: 0\r\n\r\n").await;
    let ledger = upstream.ledger();
    let one = ledger
        .arrival(first, PATIENCE)
        .await
        .expect("it was answered");
    let two = ledger
        .arrival(second, PATIENCE)
        .await
        .expect("it was answered");
    assert_eq!((one.request_number, two.request_number), (1, 2));
    assert_eq!(one.connection, two.connection);
    assert_eq!(two.head.target(), "/a?b");
    assert_eq!(
        (one.framing, one.body.length, one.body.complete),
        (Framing::Length(2), 2, true)
    );
    drop(client);
    upstream.stop().await;
}

#[tokio::test]
async fn chunked_bodies_both_ways() {
    let upstream = start().await;
    let mut client = RawClient::connect(upstream.address()).await;
    let probe = ProbeId::fresh();
    client
        .send(head(probe, "POST /", "Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n")
        .await;
    client.send("3\r\nyou\r\n0\r\nX-T: 1\r\n\r\n").await;
    client.read_until("\r\n\r\nhiyou").await;
    let arrival = upstream
        .ledger()
        .arrival(probe, PATIENCE)
        .await
        .expect("it was answered");
    assert_eq!(
        (arrival.framing, arrival.trailers.len()),
        (Framing::Chunked, 1)
    );
    client.send(head(probe, "GET /big", "")).await;
    let answer = client.read_until("0\r\n\r\n").await;
    assert!(answer.contains("\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\nxxx"));
}

#[tokio::test]
async fn broken_heads_are_refused_and_closed() {
    let upstream = start().await;
    for head in [
        "GARBAGE\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ] {
        let mut client = RawClient::connect(upstream.address()).await;
        client.send(head).await;
        assert_eq!(client.read_to_end().await, (CLOSED.to_owned(), End::Fin));
    }
    let mut halved = RawClient::connect(upstream.address()).await;
    halved.send("GET / HT").await;
    tokio::io::AsyncWriteExt::shutdown(&mut halved.stream)
        .await
        .expect("open");
    assert_eq!(halved.read_to_end().await, (CLOSED.to_owned(), End::Fin));
    let mut long = RawClient::connect(upstream.address()).await;
    long.send("GET / HTTP/1.1\r\nHost: a\r\nX: ".to_owned() + &"x".repeat((1 << 20) + 5000))
        .await;
    let (answer, end) = long.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert_eq!(end, End::Fin);
}

#[tokio::test]
async fn continue_is_sent_when_the_body_is_read() {
    let upstream = start().await;
    let mut client = RawClient::connect(upstream.address()).await;
    let expecting = "Content-Length: 2\r\nExpect: 100-continue\r\n";
    client
        .send(head(ProbeId::fresh(), "POST /", expecting))
        .await;
    client.read_until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("hi").await;
    assert!(client.read_until("hi").await.starts_with("HTTP/1.1 200 OK"));
    client
        .send(head(ProbeId::fresh(), "POST /ignore", expecting))
        .await;
    let (answer, _) = client.read_to_end().await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\r\nConnection: close\r\n"),
        "{answer}"
    );
    let mut other = RawClient::connect(upstream.address()).await;
    other
        .send(head(ProbeId::fresh(), "POST /", "Expect: tea\r\n"))
        .await;
    let (answer, _) = other.read_to_end().await;
    assert!(
        answer.starts_with("HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nDate: "),
        "{answer}"
    );
    assert!(
        answer.ends_with(" GMT\r\nContent-Length: 0\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn unread_bodies_are_settled_before_the_answer() {
    let upstream = start().await;
    let mut client = RawClient::connect(upstream.address()).await;
    client
        .send(head(
            ProbeId::fresh(),
            "POST /ignore",
            "Content-Length: 100000\r\n",
        ))
        .await;
    client.send([b'x'; 100_000]).await;
    client.read_until("ignored").await;
    // The connection goes on.
    client.send(head(ProbeId::fresh(), "GET /ignore", "")).await;
    client.read_until("ignored").await;
    client
        .send(head(
            ProbeId::fresh(),
            "POST /ignore",
            "Content-Length: 1000000\r\n",
        ))
        .await;
    let (answer, end) = client.read_to_end().await;
    assert!(
        answer.contains("\r\nConnection: close\r\n\r\nignored"),
        "{answer}"
    );
    assert_eq!(end, End::Fin);
}

#[tokio::test]
async fn a_client_that_goes_away_is_noticed_while_a_handler_waits() {
    let upstream = start().await;
    for how in [How::Fin, How::Reset] {
        let mut client = RawClient::connect(upstream.address()).await;
        let probe = ProbeId::fresh();
        client.send(head(probe, "GET /stream", "")).await;
        client.read_until("5\r\nfirst\r\n").await;
        if how == How::Reset {
            socket2::SockRef::from(&client.stream)
                .set_linger(Some(Duration::ZERO))
                .expect("open");
        }
        drop(client);
        let gone = upstream
            .ledger()
            .until(probe, PATIENCE, |arrivals| {
                arrivals[0]
                    .peer_gone
                    .filter(|_| arrivals[0].finished.is_some())
            })
            .await;
        assert_eq!(gone.map(|gone| gone.how), Some(how));
    }
}

#[tokio::test]
async fn resp_is_told_by_the_first_byte() {
    let rules = Rules {
        protocols: Protocols::HttpOrResp,
        ..Rules::default()
    };
    let upstream = start_by(rules).await;
    let mut client = RawClient::connect(upstream.address()).await;
    client
        .send("*2\r\n$4\r\nAUTH\r\n$3\r\nkey\r\n*1\r\n+PING\r\n")
        .await;
    client.read_until("+2\r\n+1\r\n").await;
    client.send("nonsense\r\n").await;
    assert_eq!(
        client.read_to_end().await,
        ("-ERR protocol error\r\n".to_owned(), End::Fin)
    );
    let mut http = RawClient::connect(upstream.address()).await;
    http.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = http.read_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: "));
}

#[tokio::test]
async fn silence_is_ended_silently() {
    let sniffing = Rules {
        sniff_timeout: Some(Duration::from_secs(1)),
        ..Rules::default()
    };
    let upstream = start_by(sniffing).await;
    let mut silent = RawClient::connect(upstream.address()).await;
    let mut begun = RawClient::connect(upstream.address()).await;
    begun.send("G").await;
    assert_eq!(silent.read_to_end().await, (String::new(), End::Fin));
    begun.send("ET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    begun.read_until("Content-Length: 0\r\n\r\n").await;
    let limited = Rules {
        header_timeout: Some(Duration::from_secs(1)),
        ..Rules::default()
    };
    let upstream = start_by(limited).await;
    let cases = [
        ("", ""),
        ("GET / HTTP/1.1\r\n", ""),
        ("GET / HTTP/1.1\r\nHost: a", ""),
        ("GET /", CLOSED),
    ];
    let ends = cases.map(|(sent, want)| {
        let address = upstream.address();
        async move {
            let mut client = RawClient::connect(address).await;
            client.send(sent).await;
            assert_eq!(
                client.read_to_end().await,
                (want.to_owned(), End::Fin),
                "{sent:?}"
            );
        }
    });
    futures_util::future::join_all(ends).await;
}

#[tokio::test]
async fn accepting_can_be_disturbed() {
    let upstream = start().await;
    upstream.at_accept(AtAccept::End(How::Reset));
    assert_eq!(
        RawClient::connect(upstream.address())
            .await
            .read_to_end()
            .await
            .1,
        End::Reset
    );
    upstream.at_accept(AtAccept::End(How::Fin));
    assert_eq!(
        RawClient::connect(upstream.address())
            .await
            .read_to_end()
            .await
            .1,
        End::Fin
    );
    upstream.at_accept(AtAccept::Hold);
    let mut held = RawClient::connect(upstream.address()).await;
    held.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while upstream.open_connections() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(upstream.cut_connections(How::Reset).await, 1);
    assert_eq!(held.read_to_end().await, (String::new(), End::Reset));
    upstream.at_accept(AtAccept::Serve);
    upstream.close_listener().await;
    assert!(
        tokio::net::TcpStream::connect(upstream.address())
            .await
            .is_err()
    );
    upstream.reopen().await.expect("the port is still ours");
    upstream.pause_accepting();
    let mut waiting = RawClient::connect(upstream.address()).await;
    waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    upstream.resume_accepting();
    waiting.read_until("Content-Length: 0\r\n\r\n").await;
    assert_eq!(upstream.cut_connections(How::Fin).await, 1);
    assert_eq!(waiting.read_to_end().await, (String::new(), End::Fin));
    assert_eq!(upstream.ledger().connections("echo").len(), 4);
    assert!(
        upstream
            .ledger()
            .connections("echo")
            .iter()
            .all(|connection| connection.closed.is_some())
    );
}

#[tokio::test]
async fn stubs_come_before_the_service_and_let_the_rest_through() {
    let upstream = start().await;
    let stub = Mock::given(method("POST")).and(path("/stub"));
    upstream
        .mount(stub.respond_with(ResponseTemplate::new(418).set_body_json([1, 2])))
        .await;
    let mut client = RawClient::connect(upstream.address()).await;
    client
        .send(head(ProbeId::fresh(), "POST /stub", "Content-Length: 2\r\n") + "hi")
        .await;
    let answer = client.read_until("[1,2]").await;
    assert!(
        answer.starts_with("HTTP/1.1 418 I'm a teapot\r\n"),
        "{answer}"
    );
    client
        .send(head(ProbeId::fresh(), "POST /other", "Content-Length: 2\r\n") + "hi")
        .await;
    assert!(client.read_until("hi").await.starts_with("HTTP/1.1 200 OK"));
    upstream.script(ProbeId::fresh(), Script::new());
}

#[tokio::test]
#[should_panic(expected = "asked to")]
async fn a_handlers_panic_comes_out_at_stop() {
    let upstream = start().await;
    let mut client = RawClient::connect(upstream.address()).await;
    client.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_to_end().await;
    upstream.stop().await;
}
