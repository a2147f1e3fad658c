//! One client connection from accept to end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::client_hello::{self, Alert, ClientHello, FirstFlight};
use super::destination::Outgoing;
use super::log::Entry;
use super::relay::{ClientClose, Opening, UP_BUFFER, drain, relay};
use super::rewound::Rewound;
use super::server::{AcceptProxy, Settings};
use super::{Ending, Fallback};
use crate::moment::Moment;
use crate::wire::proxy_protocol::{ProxyHeader, ProxyHeaderError};

/// One client connection.
pub(super) struct Connection<'a> {
    settings: &'a Settings,
    entry: &'a Entry,
    /// Until when the first bytes of the client have to be there.
    deadline: Instant,
    source: SocketAddr,
    destination: SocketAddr,
}

/// What decides where a connection goes.
struct Asked {
    name: String,
    alpn: String,
    first: Vec<u8>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        entry: &'a Entry,
        stream: &TcpStream,
        peer: SocketAddr,
    ) -> Self {
        let deadline = Instant::now() + settings.timers.handshake;
        let destination = stream.local_addr().unwrap_or(settings.address);
        Self {
            settings,
            entry,
            deadline,
            source: settings.reported(peer),
            destination,
        }
    }

    /// Serves a connection that is to open with TLS.
    pub(super) async fn serve_tls(mut self, stream: TcpStream) -> Ending {
        let (ahead, mut stream) = match self.accept_proxy(stream).await {
            Ok(accepted) => accepted,
            Err(ending) => return ending,
        };
        let mut read = ahead;
        let flight = client_hello::receive(&mut stream, &mut read);
        let flight = timeout_at(self.deadline, flight)
            .await
            .unwrap_or(FirstFlight::Ended);
        match flight {
            FirstFlight::Hello(hello) => self.hello(hello, Rewound::new(read, stream)).await,
            FirstFlight::Unreadable => {
                let hello = ClientHello {
                    server_name: String::new(),
                    protocols: Vec::new(),
                };
                self.hello(hello, Rewound::new(read, stream)).await
            }
            FirstFlight::Refused(alert) => refuse(stream, alert).await,
            FirstFlight::NotTls => {
                close_in_order(stream).await;
                Ending::NotTls
            }
            FirstFlight::Ended => Ending::Silent,
        }
    }

    /// Serves a connection without TLS that stands for one to `host`.
    pub(super) async fn serve_plain(mut self, stream: TcpStream, host: &str) -> Ending {
        let (mut first, mut stream) = match self.accept_proxy(stream).await {
            Ok(accepted) => accepted,
            Err(ending) => return ending,
        };
        // As long as it may become the preface of HTTP/2, that is to be known before a protocol can be chosen.
        while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
            first.reserve(UP_BUFFER);
            match timeout_at(self.deadline, stream.read_buf(&mut first)).await {
                Ok(Ok(1..)) => {}
                _ => return Ending::Silent,
            }
        }
        let alpn = if first.starts_with(PREFACE) {
            "h2"
        } else {
            "http/1.1"
        };
        let asked = Asked {
            name: host.to_owned(),
            alpn: alpn.to_owned(),
            first,
        };
        self.forward(stream, asked, ClientClose::WhenQuiet).await
    }

    /// Reads the PROXY header where one is required; gives what was read beyond it.
    async fn accept_proxy(
        &mut self,
        mut stream: TcpStream,
    ) -> Result<(Vec<u8>, TcpStream), Ending> {
        let mut read = Vec::new();
        if self.settings.accept_proxy == AcceptProxy::Off {
            return Ok((read, stream));
        }
        let header = timeout(
            PROXY_HEADER_TIMEOUT,
            read_proxy_header(&mut stream, &mut read),
        )
        .await;
        let reason = match header {
            Ok(Ok(header)) => {
                if let Some((source, destination)) = header.addresses {
                    (self.source, self.destination) = (source, destination);
                    self.entry
                        .update(|connection| connection.claimed = Some(source));
                }
                return Ok((read.split_off(header.length), stream));
            }
            Ok(Err(reason)) => reason.to_string(),
            Err(_) => format!("no PROXY header within {PROXY_HEADER_TIMEOUT:?}"),
        };
        // A violation aborts the connection: the program's clients see a reset.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        Err(Ending::ProxyHeader { reason })
    }

    async fn hello(self, hello: ClientHello, stream: Rewound<TcpStream>) -> Ending {
        let name = hello.server_name.clone();
        self.entry
            .update(|connection| connection.sni = Some(name).filter(|name| !name.is_empty()));
        let config = match self.settings.tls.configure(&hello) {
            Ok(config) => config,
            Err(alert) => return refuse(stream, alert).await,
        };
        let handshake = async {
            let start = LazyConfigAcceptor::new(Default::default(), stream).await?;
            start.into_stream(config).await
        };
        match timeout_at(self.deadline, handshake).await {
            Ok(Ok(stream)) => self.established(hello, stream).await,
            Ok(Err(reason)) => Ending::Handshake {
                reason: reason.to_string(),
            },
            Err(_) => Ending::Handshake {
                reason: "not finished in time".to_owned(),
            },
        }
    }

    async fn established(
        self,
        hello: ClientHello,
        mut stream: TlsStream<Rewound<TcpStream>>,
    ) -> Ending {
        let protocol = stream.get_ref().1.alpn_protocol();
        let alpn = protocol.map(|name| String::from_utf8_lossy(name).into_owned());
        let recorded = alpn.clone();
        self.entry.update(|connection| connection.alpn = recorded);
        let first = match timeout_at(self.deadline, first_read(&mut stream)).await {
            Ok(Ok(first)) if !first.is_empty() => first,
            _ => return close_silently(stream).await,
        };
        let name = self
            .settings
            .canonical(&hello.server_name.to_ascii_lowercase())
            .to_owned();
        let asked = Asked {
            name,
            alpn: alpn.unwrap_or_default().to_ascii_lowercase(),
            first,
        };
        self.forward(stream, asked, ClientClose::AtOnce).await
    }

    async fn forward<C>(self, client: C, asked: Asked, close: ClientClose) -> Ending
    where
        C: AsyncRead + AsyncWrite + Unpin,
    {
        if self.settings.users.know(&asked.first) {
            close_client(client).await;
            return Ending::TunnelUser;
        }
        let chosen = self
            .settings
            .table
            .choose(&asked.name, &asked.alpn, &asked.first);
        let Some(fallback) = chosen else {
            close_client(client).await;
            return Ending::Unroutable;
        };
        self.entry
            .update(|connection| connection.dest = Some(fallback.dest.to_string()));
        let outgoing = match fallback.dest.dial(self.settings.dial_from).await {
            Ok(outgoing) => outgoing,
            Err(reason) => {
                close_client(client).await;
                return Ending::Undialable {
                    reason: reason.to_string(),
                };
            }
        };
        let header = self.header(fallback);
        self.dialled(&outgoing, &header);
        let opening = Opening {
            header,
            first: asked.first,
        };
        let timers = self.settings.timers;
        match outgoing {
            Outgoing::Tcp(stream) => relay(client, stream, opening, timers, close).await,
            Outgoing::Unix(stream) => relay(client, stream, opening, timers, close).await,
        }
    }

    fn header(&self, fallback: &Fallback) -> Vec<u8> {
        let version = fallback.xver;
        version
            .map(|version| version.encode(self.source, self.destination))
            .unwrap_or_default()
    }

    fn dialled(&self, outgoing: &Outgoing, header: &[u8]) {
        self.entry.update(|connection| {
            connection.dialled_at = Some(Moment::now());
            connection.outgoing = outgoing.local_address();
            connection.header = header.to_vec();
        });
    }
}

async fn read_proxy_header(
    stream: &mut TcpStream,
    read: &mut Vec<u8>,
) -> Result<ProxyHeader, ProxyHeaderError> {
    loop {
        match ProxyHeader::parse(read) {
            Err(ProxyHeaderError::Incomplete) => {}
            known => return known,
        }
        if !matches!(stream.read_buf(read).await, Ok(1..)) {
            return Err(ProxyHeaderError::Incomplete);
        }
    }
}

/// What Go's `Read` would give: at most one record, at most the program's buffer. Only this is looked at for a path.
async fn first_read(stream: &mut TlsStream<Rewound<TcpStream>>) -> io::Result<Vec<u8>> {
    let available = stream.fill_buf().await?;
    let first = available[..available.len().min(UP_BUFFER)].to_vec();
    stream.consume(first.len());
    Ok(first)
}

async fn refuse<S: AsyncWrite + Unpin>(mut stream: S, alert: Alert) -> Ending {
    let _ = stream.write_all(&alert.record()).await;
    let _ = stream.shutdown().await;
    Ending::Handshake {
        reason: format!("alert {alert:?} was sent"),
    }
}

async fn close_silently<S: AsyncWrite + Unpin>(stream: S) -> Ending {
    close_client(stream).await;
    Ending::Silent
}

/// Closes with `close_notify` where there is TLS; the program gives it 250 ms.
async fn close_client<S: AsyncWrite + Unpin>(mut stream: S) {
    let _ = timeout(TLS_CLOSE_TIMEOUT, stream.shutdown()).await;
}

/// Ends the own side and reads on for a moment: closing with bytes unread would reset the connection.
async fn close_in_order(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let _ = timeout(TLS_CLOSE_TIMEOUT, drain(&mut stream)).await;
}

/// The start of HTTP/2's connection preface, enough to know it by.
const PREFACE: &[u8] = b"PRI";
/// Of the library the program reads PROXY headers with.
const PROXY_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const TLS_CLOSE_TIMEOUT: Duration = Duration::from_millis(250);
