//! The other end of a probe's connection, byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::patience::Patience;
use crate::probe::{Client, Entrance, ProxyHeader};
use crate::protocol::Protocol;

pub(super) struct Peer {
    listener: TcpListener,
}

impl Peer {
    pub(super) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// A client of it that sends no PROXY header.
    pub(super) fn client(&self, protocol: Protocol) -> Client {
        let entrance = Entrance {
            protocol,
            address: self.address(),
            host: "api.example.org".to_owned(),
            trust: None,
        };
        Client::new(entrance).header(ProxyHeader::None)
    }

    pub(super) async fn accept(&self) -> Accepted {
        let accepted = Patience::SETTLE.within("a connection", self.listener.accept());
        let (stream, _) = accepted.await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Accepted { stream }
    }
}

pub(super) struct Accepted {
    pub(super) stream: TcpStream,
}

impl Accepted {
    pub(super) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until what came ends like this.
    pub(super) async fn read_until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            let byte = Patience::SETTLE.within("a byte", self.stream.read_u8());
            let byte = byte.await.unwrap();
            read.push(byte.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&read))
            }));
        }
        read
    }

    pub(super) async fn read_head(&mut self) -> String {
        String::from_utf8(self.read_until(b"\r\n\r\n").await).unwrap()
    }

    pub(super) fn reset(self) {
        let linger = Some(Duration::ZERO);
        SockRef::from(&self.stream).set_linger(linger).unwrap();
    }
}

pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
