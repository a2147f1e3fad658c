//! TLS at the proxy's own listener.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rig::{CLIENT, GET, OK, Proxy, eventually, free_address, values, within};

/// A proxy with one more address, where it ends TLS, and what its clients trust.
struct Site {
    proxy: Proxy,
    settings: String,
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    path: PathBuf,
    _directory: TempDir,
}

impl Site {
    /// Serves these protocols at the address, each by a table that ends with these lines.
    async fn start(protocols: &[&str], lines: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("certificate.pem");
        let certificate = certify(&path);
        let address = free_address().await;
        let tables = protocols.iter().map(|protocol| {
            format!(
                "[[listen]]\naddress = '{address}'\nprotocol = '{protocol}'\ntls = true\ncertificate = '{}'\n{lines}\n",
                path.display()
            )
        });
        let settings = tables.collect::<String>();
        Self {
            proxy: Proxy::start(&settings).await,
            settings,
            address,
            certificate,
            path,
            _directory: directory,
        }
    }

    async fn connect(&self, alpn: &[&str]) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.address).await?;
        self.shake_hands(socket, alpn, |_| ()).await
    }

    async fn shake_hands(
        &self,
        socket: TcpStream,
        alpn: &[&str],
        change: impl FnOnce(&mut ClientConnection),
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = "api.example.org".try_into().unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        within(connector.connect_with(name, socket, change)).await
    }

    /// Answers a request that was sent as HTTP/1.1; gives its head.
    async fn exchange(&self, client: &mut TlsStream<TcpStream>) -> String {
        client.write_all(GET.as_bytes()).await.unwrap();
        let mut cpa = self.proxy.cpa().await;
        let head = cpa.head().await;
        cpa.send(OK).await;
        assert!(
            until(client, "\r\n\r\nok")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
        head
    }
}

/// A certificate of its own and its key, in one file.
fn certify(path: &PathBuf) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["api.example.org".to_owned()]).unwrap();
    let pem = made.cert.pem() + &made.signing_key.serialize_pem();
    std::fs::write(path, pem).unwrap();
    made.cert.der().clone()
}

async fn until(client: &mut TlsStream<TcpStream>, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let read = within(client.read_buf(&mut text)).await.unwrap();
        assert!(read > 0, "the connection ended after {text:?}");
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn alpn_chooses_among_the_protocols_of_an_address() {
    let site = Site::start(&["h1", "h2"], "").await;
    for alpn in [&["http/1.1"][..], &[]] {
        let mut client = site.connect(alpn).await.unwrap();
        let head = site.exchange(&mut client).await;
        assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"]);
    }
    for alpn in [&["h2"][..], &["http/1.1", "h2"]] {
        let client = site.connect(alpn).await.unwrap();
        assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let io = TokioIo::new(client);
        let (mut sender, connection) = within(handshake(TokioExecutor::new(), io)).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("https://api.example.org/v1/models");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let answer = tokio::spawn(sender.send_request(request));
        let mut cpa = site.proxy.cpa().await;
        cpa.head().await;
        cpa.send(OK).await;
        let body = within(answer).await.unwrap().unwrap().collect().await;
        assert_eq!(body.unwrap().to_bytes(), "ok");
    }
    assert!(site.connect(&["smtp"]).await.is_err());
}

#[tokio::test]
async fn a_protocol_that_is_not_spoken_is_refused_in_the_handshake() {
    let site = Site::start(&["h1"], "").await;
    assert!(site.connect(&["h2"]).await.is_err());
    let mut client = site.connect(&["h2", "http/1.1"]).await.unwrap();
    site.exchange(&mut client).await;
    let mut plain = crate::rig::Wire::connect(site.address).await;
    plain.send(GET).await;
    let answer = plain.rest().await;
    assert!(!answer.contains("HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_proxy_header_may_come_in_one_segment_with_the_handshake() {
    let site = Site::start(&["h1"], "proxy_protocol = true").await;
    let socket = TcpStream::connect(site.address).await.unwrap();
    let socket = socket.into_std().unwrap();
    let mut twin = socket.try_clone().unwrap();
    let send = |connection: &mut ClientConnection| {
        let mut opening = CLIENT.as_bytes().to_vec();
        connection.write_tls(&mut opening).unwrap();
        twin.write_all(&opening).unwrap();
    };
    let socket = TcpStream::from_std(socket).unwrap();
    let mut client = site.shake_hands(socket, &[], send).await.unwrap();
    let head = site.exchange(&mut client).await;
    assert_eq!(values(&head, "x-forwarded-for"), ["203.0.113.7"]);
}

#[tokio::test]
async fn a_tunnel_carries_bytes_both_ways_and_ends() {
    let site = Site::start(&["h1"], "").await;
    let mut client = site.connect(&["http/1.1"]).await.unwrap();
    let upgrade = "GET /v1/responses HTTP/1.1\r\nHost: api.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(upgrade.as_bytes()).await.unwrap();
    let mut cpa = site.proxy.cpa().await;
    cpa.head().await;
    cpa.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nearly")
        .await;
    until(&mut client, "early").await;
    client.write_all(b"ping").await.unwrap();
    assert_eq!(cpa.take(4).await, b"ping");
    cpa.send("pong").await;
    until(&mut client, "pong").await;
    client.shutdown().await.unwrap();
    assert_eq!(cpa.rest().await, "");
    cpa.send("last").await;
    until(&mut client, "last").await;
    drop(cpa);
    assert_eq!(within(client.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_upstream_and_loses_nothing() {
    let site = Site::start(&["h1"], "").await;
    let mut client = site.connect(&["http/1.1"]).await.unwrap();
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut cpa = site.proxy.cpa().await;
    cpa.head().await;
    let length = 64 << 20;
    cpa.send(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    ))
    .await;
    let written = cpa.write_until_blocked(length).await;
    assert!(written < length, "somebody held all of it");
    let rest = async {
        cpa.send(vec![b'x'; length - written]).await;
    };
    let read = async {
        let mut answer = Vec::with_capacity(length + 200);
        let end = |answer: &[u8]| answer.windows(4).position(|four| four == b"\r\n\r\n");
        loop {
            within(client.read_buf(&mut answer)).await.unwrap();
            let head = end(&answer[..answer.len().min(1000)]);
            if head.is_some_and(|head| answer.len() == head + 4 + length) {
                return;
            }
        }
    };
    tokio::join!(rest, read);
}

#[tokio::test]
async fn a_slow_handshake_is_ended() {
    let site = Site::start(&["h1"], "[timeouts]\nheader_ms = 150\n").await;
    let mut silent = crate::rig::Wire::connect(site.address).await;
    assert_eq!(silent.rest().await, "");
}

#[tokio::test]
async fn a_reload_takes_a_new_certificate() {
    let mut site = Site::start(&["h1"], "").await;
    let mut before = site.connect(&[]).await.unwrap();
    site.certificate = certify(&site.path);
    site.proxy.reload(&site.settings, str::to_owned);
    assert!(eventually(async || site.connect(&[]).await.is_ok()).await);
    site.exchange(&mut before).await;
}
