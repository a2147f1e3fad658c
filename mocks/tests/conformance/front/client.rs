//! The client of the recordings: TLS with any name and protocols, or raw bytes.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use libtest_mimic::Failed;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::destinations::Destinations;
use super::{Client, PATIENCE, Recording, bytes_of, text_of};

/// What the client saw.
pub(super) struct Answer {
    pub(super) address: SocketAddr,
    pub(super) handshake_error: Option<String>,
    pub(super) negotiated: Option<String>,
    pub(super) received: Option<String>,
    pub(super) ended: Option<Ended>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Closed,
    Open,
}

impl Ended {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

pub(super) async fn connect(
    client: &Client,
    front: SocketAddr,
    destinations: &Destinations,
    recording: &Recording,
) -> Result<Answer, Failed> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((client.src.unwrap_or([127, 0, 0, 1].into()), 0).into())?;
    let mut stream = socket.connect(front).await?;
    let address = stream.local_addr()?;
    let mut answer = Answer {
        address,
        handshake_error: None,
        negotiated: None,
        received: None,
        ended: None,
    };
    stream
        .write_all(&bytes_of(client.pre.as_deref().unwrap_or_default()))
        .await?;
    if client.raw {
        exchange(stream, client, destinations, recording, &mut answer).await?;
        return Ok(answer);
    }
    match timeout(PATIENCE, handshake(stream, client)).await? {
        Ok(stream) => {
            let protocol = stream.get_ref().1.alpn_protocol().unwrap_or_default();
            answer.negotiated = Some(text_of(protocol));
            exchange(stream, client, destinations, recording, &mut answer).await?;
        }
        Err(error) => answer.handshake_error = Some(openssl_name(&error)),
    }
    Ok(answer)
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    client: &Client,
    destinations: &Destinations,
    recording: &Recording,
    answer: &mut Answer,
) -> Result<(), Failed> {
    for (piece, pause) in &client.send {
        stream.write_all(&bytes_of(piece)).await?;
        stream.flush().await?;
        if *pause > 0 {
            destinations.has_received(&bytes_of(piece)).await;
        }
    }
    let expected = recording.client_received.as_deref().unwrap_or_default();
    let mut received = Vec::new();
    let mut ended = Ended::Open;
    while ended == Ended::Open {
        let patience = match (
            received.len() < expected.len(),
            recording.client_end.as_deref(),
        ) {
            (false, Some("open")) => QUIET,
            _ => PATIENCE,
        };
        match timeout(patience, stream.read_buf(&mut received)).await {
            Ok(Ok(1..)) => {}
            Ok(_) => ended = Ended::Closed,
            Err(_) => break,
        }
    }
    if let Some(sent) = client.send.last().filter(|_| recording.dest.is_some()) {
        destinations.has_received(&bytes_of(&sent.0)).await;
    }
    (answer.received, answer.ended) = (Some(text_of(&received)), Some(ended));
    Ok(())
}

async fn handshake(
    stream: TcpStream,
    client: &Client,
) -> io::Result<tokio_rustls::client::TlsStream<Dotted>> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks them")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    config.enable_sni = client.sni.is_some();
    config.alpn_protocols = client.alpn.iter().map(|name| name.clone().into()).collect();
    let name = client
        .sni
        .clone()
        .unwrap_or_else(|| "none.invalid".to_owned());
    // The library would leave a trailing dot away: it goes out as a letter, which is changed on the way.
    let dotted = name.ends_with('.').then(|| name.clone());
    let sent = name
        .strip_suffix('.')
        .map_or(name.clone(), |bare| format!("{bare}x"));
    let stream = Dotted {
        stream,
        name: dotted,
    };
    let name = ServerName::try_from(sent).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// What Python's OpenSSL called the error in the recordings.
fn openssl_name(error: &io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let name = match (error.kind(), inner) {
        (io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe, _) => "ConnectionResetError",
        (io::ErrorKind::UnexpectedEof, _) => "UNEXPECTED_EOF_WHILE_READING",
        (_, Some(rustls::Error::AlertReceived(alert))) => match alert {
            AlertDescription::DecodeError => "TLSV1_ALERT_DECODE_ERROR",
            AlertDescription::UnrecognisedName => "TLSV1_UNRECOGNIZED_NAME",
            AlertDescription::NoApplicationProtocol => {
                "[SSL] tlsv1 alert no application protocol (_ssl.c:1006)"
            }
            AlertDescription::ProtocolVersion => "TLSV1_ALERT_PROTOCOL_VERSION",
            _ => return format!("{alert:?}"),
        },
        _ => return error.to_string(),
    };
    name.to_owned()
}

/// A stream that ends the server name it carries in a dot.
struct Dotted {
    stream: TcpStream,
    name: Option<String>,
}

impl AsyncRead for Dotted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Dotted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut bytes = bytes.to_vec();
        if let Some(name) = &self.name {
            let bare = &name.as_bytes()[..name.len() - 1];
            let found = bytes.windows(bare.len()).position(|window| window == bare);
            if let Some(start) = found {
                bytes[start + bare.len()] = b'.';
            }
        }
        Pin::new(&mut self.stream).poll_write(context, &bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Trusts anyone: the recordings are about names that no certificate is for, too.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// How long nothing has to come for a connection to count as open.
const QUIET: std::time::Duration = std::time::Duration::from_millis(150);
