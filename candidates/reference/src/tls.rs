//! TLS at a listener: one certificate, and the protocols among which ALPN (RFC 7301) chooses.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::Protocol;

/// What a listener shows of itself, and what it speaks inside.
pub(crate) struct Tls {
    /// Certificates and key as read: a reload that finds others is a change.
    pem: Box<[u8]>,
    /// The best one first.
    protocols: Vec<Protocol>,
    /// Shared by all workers, so that a session can be resumed at any of them.
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads a PEM file's content; the message says what is wrong with it.
    pub(crate) fn new(pem: Vec<u8>, mut protocols: Vec<Protocol>) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("no certificate: {error}"))?;
        let key =
            PrivateKeyDer::from_pem_slice(&pem).map_err(|error| format!("no key: {error}"))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let mut config = builder
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| error.to_string())?;
        // Clients that know both get HTTP/2, in whatever order they name them.
        protocols.sort_by_key(|protocol| *protocol == Protocol::H1);
        let names = protocols.iter().map(|protocol| protocol.alpn().to_vec());
        config.alpn_protocols = names.collect();
        Ok(Self {
            pem: pem.into_boxed_slice(),
            protocols,
            config: Arc::new(config),
        })
    }

    /// Shakes hands with a client that has sent these bytes already.
    pub(crate) async fn accept(
        &self,
        socket: TcpStream,
        early: &[u8],
    ) -> io::Result<(TlsStream<TcpStream>, Protocol)> {
        let acceptor = TlsAcceptor::from(self.config.clone());
        let stream = acceptor
            .accept_with(socket, |connection| feed(connection, early))
            .await?;
        let protocol = self.chosen(stream.get_ref().1.alpn_protocol());
        Ok((stream, protocol))
    }

    /// A client without ALPN means HTTP/1.1, unless nothing but HTTP/2 is spoken here.
    fn chosen(&self, alpn: Option<&[u8]>) -> Protocol {
        let mut protocols = self.protocols.iter().copied();
        let wanted = alpn.unwrap_or(Protocol::H1.alpn());
        protocols
            .find(|protocol| protocol.alpn() == wanted)
            .unwrap_or(self.protocols[0])
    }
}

/// What comes of bytes that are no TLS, the handshake finds again and tells the client.
fn feed(connection: &mut ServerConnection, mut early: &[u8]) {
    while !early.is_empty() && connection.read_tls(&mut early).is_ok() {
        if connection.process_new_packets().is_err() {
            return;
        }
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem && self.protocols == other.protocols
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.protocols).finish()
    }
}
