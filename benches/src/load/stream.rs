//! A socket that does not wait, with TLS over it or not.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde::{Deserialize, Serialize};

/// What a client needs for TLS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Told", into = "Told")]
pub struct Tls {
    told: Told,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// What that is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Told {
    /// In DER.
    authority: Vec<u8>,
    name: String,
    alpn: String,
}

impl TryFrom<Told> for Tls {
    type Error = io::Error;

    fn try_from(told: Told) -> io::Result<Self> {
        Self::new(told.authority.into(), &told.name, &told.alpn)
    }
}

impl From<Tls> for Told {
    fn from(tls: Tls) -> Self {
        tls.told
    }
}

impl Tls {
    /// Trusts this authority, asks for this name, and offers this protocol by ALPN (RFC 7301).
    ///
    /// # Errors
    /// For a certificate that is no authority's, and a name that is none.
    pub fn new(authority: CertificateDer<'static>, name: &str, alpn: &str) -> io::Result<Self> {
        let told = Told {
            authority: authority.to_vec(),
            name: name.to_owned(),
            alpn: alpn.to_owned(),
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        Ok(Self {
            told,
            config: Arc::new(config),
            name: ServerName::try_from(name.to_owned()).map_err(io::Error::other)?,
        })
    }
}

#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// The handshake, if there is one; the socket still waits.
    pub(super) fn over(mut socket: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        let Some(tls) = tls else {
            return Ok(Self::Plain(socket));
        };
        let connection = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone());
        let mut connection = connection.map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    /// Asks for another protocol, and takes the answer's head; what follows it is left.
    pub(super) fn upgrade(&mut self, request: &[u8]) -> io::Result<()> {
        self.write_all(request)?;
        self.flush()?;
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
            self.read_exact(&mut byte)?;
            head.extend_from_slice(&byte);
        }
        if head.starts_with(b"HTTP/1.1 101 ") {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&head);
        let line = line.lines().next().unwrap_or_default().to_owned();
        Err(io::Error::other(format!(
            "the upgrade was answered `{line}`"
        )))
    }

    /// From now on nothing waits.
    pub(super) fn stop_waiting(&self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.set_nonblocking(true),
            Self::Tls(stream) => stream.sock.set_nonblocking(true),
        }
    }

    /// Whether a read that gave less than there was room for has taken all that the socket had.
    pub(super) fn is_drained_by_a_short_read(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Whether something was taken that the socket has not taken yet.
    pub(super) fn wants_write(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.conn.wants_write())
    }
}

/// In bytes; more than any answer of the stage has.
const LONGEST_HEAD: usize = 16 << 10;

impl Read for Stream {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(piece),
            Self::Tls(stream) => stream.read(piece),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(socket) => socket.as_fd(),
            Self::Tls(stream) => stream.sock.as_fd(),
        }
    }
}
