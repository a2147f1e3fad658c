//! The usage service over real sockets: its collector against a CPA played by hand, and its proxy.
#![expect(clippy::unwrap_used, reason = "the whole target is tests")]

#[expect(dead_code, reason = "this target makes its heads itself")]
mod raw_client;

use std::time::Duration;

use proxyproof_mocks::RunningUpstream;
use proxyproof_mocks::upstream::cpa::Cpa;
use proxyproof_mocks::upstream::usage::{Backoff, UsageService};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use self::raw_client::{End, PATIENCE, RawClient};

/// A service set up with a CPA that the test plays itself.
struct Stage {
    usage: RunningUpstream,
    cpa: TcpListener,
}

impl Stage {
    async fn start() -> Self {
        let cpa = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (first, longest) = (Duration::from_millis(5), Duration::from_millis(20));
        let service = UsageService::new()
            .cpa(cpa.local_addr().unwrap().to_string(), "key")
            .poll_interval(Duration::from_millis(5))
            .backoff(Backoff { first, longest });
        Self {
            usage: service.start().await.unwrap(),
            cpa,
        }
    }

    async fn accept(&self) -> TcpStream {
        timeout(PATIENCE, self.cpa.accept())
            .await
            .unwrap()
            .unwrap()
            .0
    }

    /// The collector's connection, logged in.
    async fn collector(&self) -> TcpStream {
        let mut stream = self.accept().await;
        expect(&mut stream, "*2\r\n$4\r\nAUTH\r\n$3\r\nkey\r\n").await;
        stream.write_all(b"+OK\r\n").await.unwrap();
        stream
    }

    /// The connection that carries the next proxied request, told from the collector's by its first byte.
    async fn proxied(&self) -> TcpStream {
        loop {
            let stream = self.accept().await;
            let mut first = [0];
            if matches!(stream.peek(&mut first).await, Ok(1)) && first != *b"*" {
                return stream;
            }
        }
    }

    async fn ask(&self, request: &str) -> RawClient {
        let mut client = RawClient::connect(self.usage.address()).await;
        let (line, rest) = request.split_once("\r\n").unwrap_or((request, ""));
        client
            .send(format!(
                "{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key\r\n{rest}\r\n"
            ))
            .await;
        client
    }

    /// Waits until `/status` is as wanted.
    async fn until(&self, wanted: impl Fn(&Value) -> bool) {
        let looking = async {
            loop {
                let (answer, _) = self
                    .ask("GET /status\r\nConnection: close\r\n")
                    .await
                    .read_to_end()
                    .await;
                let body = answer.split_once("\r\n\r\n").unwrap().1;
                if wanted(&serde_json::from_str(body).unwrap()) {
                    return;
                }
            }
        };
        timeout(PATIENCE, looking)
            .await
            .expect("the status is reached");
    }
}

async fn expect(stream: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    timeout(PATIENCE, stream.read_exact(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(head).unwrap()
}

const POP: &str = "*3\r\n$4\r\nRPOP\r\n$5\r\nusage\r\n$3\r\n100\r\n";

fn error_is<'a>(text: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |status| {
        status["collector"]["collector"] == "error" && status["collector"]["lastError"] == text
    }
}

#[tokio::test]
async fn records_are_taken_and_those_that_cannot_be_read_are_dead_letters() {
    let stage = Stage::start().await;
    let mut cpa = stage.collector().await;
    expect(&mut cpa, POP).await;
    cpa.write_all(b"*2\r\n$1\r\nx\r\n$20\r\n{\"request_id\":\"r-1\"}\r\n")
        .await
        .unwrap();
    // It asks again at once while there is something.
    expect(&mut cpa, POP).await;
    stage
        .until(|status| {
            status["events"] == 1
                && status["deadLetters"] == 1
                && status["collector"]["totalInserted"] == 1
                && status["collector"]["lastConsumedAt"].as_i64() > Some(0)
        })
        .await;
    cpa.write_all(b"*0\r\n").await.unwrap();
    expect(&mut cpa, POP).await;
}

#[tokio::test]
async fn what_goes_wrong_is_shown_and_tried_again() {
    let stage = Stage::start().await;
    let mut cpa = stage.accept().await;
    cpa.write_all(b"-ERR invalid management key\r\n")
        .await
        .unwrap();
    stage
        .until(error_is("auth: ERR invalid management key"))
        .await;

    let mut cpa = stage.accept().await;
    cpa.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    stage
        .until(error_is("auth: unsupported RESP prefix 'H'"))
        .await;

    let mut cpa = stage.collector().await;
    stage
        .until(|status| status["collector"]["collector"] == "running")
        .await;
    expect(&mut cpa, POP).await;
    drop(cpa);
    stage.until(error_is("consume: EOF")).await;
    stage.collector().await;
}

#[tokio::test]
async fn a_proxied_request_is_what_gos_proxy_sends() {
    let stage = Stage::start().await;
    let request = "POST /v0/management/x%20y?q=1\r\nx-lower: 1\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\
        X-Forwarded-For: 203.0.113.7\r\nTE: trailers\r\nContent-Length: 4\r\nUser-Agent: ua/1\r\n";
    let mut client = stage.ask(request).await;
    client.send("body").await;
    let mut cpa = stage.proxied().await;
    let address = stage.cpa.local_addr().unwrap();
    let head = read_head(&mut cpa).await;
    let expected = format!(
        "POST /v0/management/x%20y?q=1 HTTP/1.1\r\nHost: {address}\r\nUser-Agent: ua/1\r\nContent-Length: 4\r\n\
        Authorization: Bearer key\r\nX-Forwarded-For: 203.0.113.7, 127.0.0.1\r\nX-Lower: 1\r\n\
        Accept-Encoding: gzip\r\n\r\n"
    );
    assert_eq!(
        head,
        expected.replace("X-Forwarded", "Te: trailers\r\nX-Forwarded")
    );
    expect(&mut cpa, "body").await;
    cpa.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nok")
        .await
        .unwrap();
    let (answer, end) = client.read_to_end().await;
    assert!(
        answer.ends_with("\r\n\r\nok") && !answer.contains("Keep-Alive"),
        "{answer}"
    );
    assert_eq!(end, End::Fin);
}

#[tokio::test]
async fn a_stream_passes_event_by_event_and_a_cut_one_has_no_end() {
    let stage = Stage::start().await;
    let mut client = stage.ask("GET /v0/management/stream\r\n").await;
    let mut cpa = stage.proxied().await;
    read_head(&mut cpa).await;
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    cpa.write_all(format!("{head}9\r\ndata: 1\n\n\r\n").as_bytes())
        .await
        .unwrap();
    client.read_until("9\r\ndata: 1\n\n\r\n").await;
    cpa.write_all(b"9\r\ndata: 2\n\n\r\n").await.unwrap();
    client.read_until("9\r\ndata: 2\n\n\r\n").await;
    drop(cpa);
    assert_eq!(client.read_to_end().await.0, "");
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_behind_the_proxy() {
    let stage = Stage::start().await;
    let client = stage.ask("GET /v0/management/silent\r\n").await;
    let mut cpa = stage.proxied().await;
    read_head(&mut cpa).await;
    drop(client);
    let end = timeout(PATIENCE, cpa.read_u8())
        .await
        .expect("CPA sees the end");
    assert!(end.is_err());
}

#[tokio::test]
async fn an_upgrade_passes_through() {
    let stage = Stage::start().await;
    let mut client = stage
        .ask("GET /v0/management/socket\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
        .await;
    let mut cpa = stage.proxied().await;
    let head = read_head(&mut cpa).await;
    assert!(
        head.contains("Connection: Upgrade\r\n") && head.contains("Upgrade: websocket\r\n"),
        "{head}"
    );
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nahead";
    cpa.write_all(answer.as_bytes()).await.unwrap();
    let head = client.read_until("ahead").await;
    assert!(
        head.contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
        "{head}"
    );
    client.send("up").await;
    expect(&mut cpa, "up").await;
    cpa.write_all(b"down").await.unwrap();
    client.read_until("down").await;
    drop(cpa);
    assert_eq!(client.read_to_end().await.0, "");
}

#[tokio::test]
async fn a_loop_is_bounded_and_ends_with_the_client() {
    let cpa = Cpa::new().start().await.unwrap();
    let usage = UsageService::new().start().await.unwrap();
    // Set up with itself, a service calls itself without end.
    for base in [cpa.address(), usage.address()] {
        let body = format!("{{\"cpaBaseUrl\":\"{base}\",\"managementKey\":\"mgmt-key\"}}");
        let mut client = RawClient::connect(usage.address()).await;
        let head = "POST /setup HTTP/1.1\r\nHost: a\r\n";
        client
            .send(format!(
                "{head}Content-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        client.read_until("}\n").await;
    }
    let mut client = RawClient::connect(usage.address()).await;
    let head =
        "GET /v0/management/debug HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer mgmt-key\r\n\r\n";
    client.send(head).await;
    let open = |wanted: fn(usize) -> bool| {
        let usage = &usage;
        timeout(PATIENCE, async move {
            while !wanted(usage.open_connections()) {
                tokio::task::yield_now().await;
            }
        })
    };
    open(|open| open > 30).await.expect("it loops");
    drop(client);
    open(|open| open == 0).await.expect("the loop unwinds");
}

#[tokio::test]
async fn prices_come_from_a_source_on_loopback() {
    let source = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prices.json", source.local_addr().unwrap());
    let usage = UsageService::new().price_source(url).start().await.unwrap();
    let serving = async {
        let mut stream = source.accept().await.unwrap().0;
        read_head(&mut stream).await;
        let body = r#"{"sample_spec":{},"a/m":{"input_cost_per_token":1.5e-06,"output_cost_per_token":"2e-06"}}"#;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    let asking = async {
        let mut client = RawClient::connect(usage.address()).await;
        let body = r#"{"models":["m"]}"#;
        let head =
            "POST /v0/management/model-prices/sync HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
        client
            .send(format!(
                "{head}Content-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        client.read_to_end().await.0
    };
    let (answer, ()) = timeout(PATIENCE, async { tokio::join!(asking, serving) })
        .await
        .unwrap();
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        (&body["imported"], &body["skipped"]),
        (&1.into(), &1.into())
    );
    assert_eq!(body["prices"]["m"]["prompt"], 1.5);
    assert_eq!(body["prices"]["m"]["sourceModelId"], "a/m");
}
