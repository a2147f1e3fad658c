//! HTTP/2 with prior knowledge.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Channel, Empty, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::rig::{CLIENT, OK, Proxy, Wire, values, within};

type Body = BoxBody<Bytes, std::convert::Infallible>;

struct Client {
    sender: SendRequest<Body>,
    connection: JoinHandle<hyper::Result<()>>,
    /// The same socket, to end it under hyper's tasks.
    socket: std::net::TcpStream,
}

impl Client {
    async fn connect(proxy: &Proxy) -> Self {
        let mut stream = TcpStream::connect(proxy.h2).await.unwrap();
        stream.write_all(CLIENT.as_bytes()).await.unwrap();
        let stream = stream.into_std().unwrap();
        let socket = stream.try_clone().unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let (sender, connection) = within(handshake(TokioExecutor::new(), TokioIo::new(stream)))
            .await
            .unwrap();
        Self {
            sender,
            connection: tokio::spawn(connection),
            socket,
        }
    }

    fn send(&mut self, request: Request<Body>) -> JoinHandle<hyper::Result<Response<Incoming>>> {
        tokio::spawn(self.sender.send_request(request))
    }

    fn get(&mut self, path: &str) -> JoinHandle<hyper::Result<Response<Incoming>>> {
        self.send(
            request(Method::GET, path)
                .body(Empty::new().boxed())
                .unwrap(),
        )
    }
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("https://api.example.org{path}"))
}

async fn answer(pending: JoinHandle<hyper::Result<Response<Incoming>>>) -> Response<Incoming> {
    within(pending).await.unwrap().unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(
        within(response.into_body().collect())
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
    .unwrap()
}

#[tokio::test]
async fn requests_are_translated() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let request = request(Method::GET, "//health?x=%2F")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers");
    let pending = client.send(request.body(Empty::new().boxed()).unwrap());
    let mut usage = proxy.usage().await;
    let head = usage.head().await;
    assert!(
        head.starts_with("GET //health?x=%2F HTTP/1.1\r\nHost: api.example.org\r\n"),
        "{head}"
    );
    assert_eq!(values(&head, "cookie"), ["a=1; b=2"]);
    assert_eq!(values(&head, "x-forwarded-for"), ["203.0.113.7"]);
    usage.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n").await;
    let response = answer(pending).await;
    assert!(
        !response.headers().contains_key("x-hop") && !response.headers().contains_key("keep-alive")
    );
    let body = within(response.into_body().collect()).await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "1");
}

#[tokio::test]
async fn an_upload_streams_with_its_trailers() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let (mut send, body) = Channel::<Bytes, std::convert::Infallible>::new(4);
    let pending = client.send(request(Method::POST, "/").body(body.boxed()).unwrap());
    let mut cpa = proxy.cpa().await;
    assert_eq!(values(&cpa.head().await, "transfer-encoding"), ["chunked"]);
    for _ in 0..2 {
        send.send_data(Bytes::from("piece")).await.unwrap();
        assert_eq!(cpa.take(10).await, b"5\r\npiece\r\n");
    }
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", http::HeaderValue::from_static("1"));
    send.send_trailers(trailers).await.unwrap();
    drop(send);
    assert_eq!(cpa.until("\r\n\r\n").await, "0\r\nx-sum: 1\r\n\r\n");
    cpa.send(OK).await;
    assert_eq!(text(answer(pending).await).await, "ok");
}

#[tokio::test]
async fn a_limit_holds_for_bodies_of_unknown_length() {
    let proxy = Proxy::start("body_limit = 1000").await;
    let mut client = Client::connect(&proxy).await;
    let (mut send, body) = Channel::<Bytes, std::convert::Infallible>::new(4);
    let pending = client.send(request(Method::POST, "/").body(body.boxed()).unwrap());
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    send.send_data(Bytes::from(vec![0; 1001])).await.unwrap();
    assert_eq!(answer(pending).await.status(), 413);
    assert!(!cpa.rest().await.ends_with("0\r\n\r\n"));
    let (_unsent, body) = Channel::<Bytes, std::convert::Infallible>::new(1);
    let post = request(Method::POST, "/").header("content-length", "1001");
    let pending = client.send(post.body(body.boxed()).unwrap());
    assert_eq!(answer(pending).await.status(), 413);
}

#[tokio::test]
async fn a_reset_stream_takes_only_its_upstream_request_with_it() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let [mut one, mut two] = [("/1", client.get("/1")), ("/2", client.get("/2"))]
        .map(|(path, pending)| (path, Some(pending)));
    let [mut first, mut second] = [proxy.cpa().await, proxy.cpa().await];
    let mut first_path = first.head().await.split(' ').nth(1).unwrap().to_owned();
    second.head().await;
    if first_path == two.0 {
        std::mem::swap(&mut one, &mut two);
        first_path = one.0.to_owned();
    }
    assert_eq!(first_path, one.0);
    for upstream in [&mut first, &mut second] {
        upstream
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
    }
    let gone = answer(one.1.take().unwrap()).await;
    let stays = answer(two.1.take().unwrap()).await;
    drop(gone);
    assert_eq!(first.rest().await, "");
    second.send("2\r\nok\r\n0\r\n\r\n").await;
    assert_eq!(text(stays).await, "ok");
}

#[tokio::test]
async fn a_client_that_leaves_before_an_answer_is_noticed() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let pending = client.get("/");
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    pending.abort();
    assert_eq!(cpa.rest().await, "");
    let pending = client.get("/");
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    client.socket.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(cpa.rest().await, "");
    drop(pending);
}

#[tokio::test]
async fn a_cut_response_is_a_reset_stream() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    for head in [
        "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        "Content-Length: 9\r\n\r\nok",
    ] {
        let pending = client.get("/");
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        drop(cpa);
        let mut body = answer(pending).await.into_body();
        let first = within(body.frame())
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap();
        assert_eq!(first, "ok");
        assert!(within(body.frame()).await.unwrap().is_err());
    }
}

#[tokio::test]
async fn hosts_and_methods_are_checked() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let elsewhere = Request::builder()
        .uri("https://evil.example/")
        .body(Empty::new().boxed())
        .unwrap();
    assert_eq!(answer(client.send(elsewhere)).await.status(), 421);
    let two = request(Method::GET, "/")
        .header("host", "evil.example")
        .body(Empty::new().boxed())
        .unwrap();
    assert_eq!(answer(client.send(two)).await.status(), 400);
    assert_eq!(
        answer(
            client.send(
                request(Method::TRACE, "/")
                    .body(Empty::new().boxed())
                    .unwrap()
            )
        )
        .await
        .status(),
        405
    );
}

#[tokio::test]
async fn a_connection_without_the_preface_is_closed() {
    let proxy = Proxy::plain().await;
    let mut wire = Wire::connect(proxy.h2).await;
    wire.send(format!("{CLIENT}{}", crate::rig::GET)).await;
    wire.rest().await;
    let mut preface = proxy.client().await;
    preface.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    preface.rest().await;
}

#[tokio::test]
async fn sigterm_says_goaway_and_finishes() {
    let mut proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let pending = client.get("/");
    let mut cpa = proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let response = answer(pending).await;
    proxy.signal(Signal::TERM);
    let address = proxy.h2;
    assert!(crate::rig::eventually(async || TcpStream::connect(address).await.is_err()).await);
    cpa.send("2\r\nok\r\n0\r\n\r\n").await;
    assert_eq!(text(response).await, "ok");
    within(client.connection).await.unwrap().unwrap();
    assert!(proxy.ended().await);
}

fn connect() -> Request<Body> {
    let mut request = request(Method::CONNECT, "/v1/responses")
        .header("sec-websocket-version", "13")
        .body(Empty::new().boxed())
        .unwrap();
    request
        .extensions_mut()
        .insert(Protocol::from_static("websocket"));
    request
}

/// The accept value that goes with the key in a head.
fn accept(head: &str) -> String {
    use base64::Engine;
    use sha1::{Digest, Sha1};
    let key = values(head, "sec-websocket-key")[0];
    base64::prelude::BASE64_STANDARD.encode(Sha1::digest(format!(
        "{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    )))
}

#[tokio::test]
async fn a_websocket_over_extended_connect_is_translated() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    let pending = client.send(connect());
    let mut cpa = proxy.cpa().await;
    let head = cpa.head().await;
    assert!(head.starts_with("GET /v1/responses HTTP/1.1\r\n"), "{head}");
    assert_eq!(
        (values(&head, "upgrade"), values(&head, "connection")),
        (vec!["websocket"], vec!["Upgrade"])
    );
    cpa.send(format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\nfirst", accept(&head))).await;
    let response = answer(pending).await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("sec-websocket-accept"));
    let mut stream = TokioIo::new(within(hyper::upgrade::on(response)).await.unwrap());
    let mut first = [0; 5];
    within(stream.read_exact(&mut first)).await.unwrap();
    assert_eq!(&first, b"first");
    stream.write_all(b"up").await.unwrap();
    assert_eq!(cpa.take(2).await, b"up");
    drop(stream);
    assert_eq!(cpa.rest().await, "");
    // The upstream's end reaches the client.
    let pending = client.send(connect());
    let mut cpa = proxy.cpa().await;
    let head = cpa.head().await;
    cpa.send(format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n", accept(&head))).await;
    let mut stream = TokioIo::new(
        within(hyper::upgrade::on(answer(pending).await))
            .await
            .unwrap(),
    );
    cpa.reset();
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn an_extended_connect_that_fails_is_no_success() {
    let proxy = Proxy::plain().await;
    let mut client = Client::connect(&proxy).await;
    for (reply, status) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 502),
        (
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno",
            401,
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
            502,
        ),
    ] {
        let pending = client.send(connect());
        let mut cpa = proxy.cpa().await;
        cpa.head().await;
        cpa.send(reply).await;
        assert_eq!(answer(pending).await.status(), status, "{reply}");
        drop(cpa);
    }
    let mut other = connect();
    other
        .extensions_mut()
        .insert(Protocol::from_static("connect-udp"));
    assert_eq!(answer(client.send(other)).await.status(), 501);
}
