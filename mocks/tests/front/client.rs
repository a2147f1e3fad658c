//! A TLS client that trusts the run's authority and checks names.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proxyproof_mocks::certificate::Authority;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) type TlsClient = tokio_rustls::client::TlsStream<TcpStream>;

/// Connects, sends `ahead` as it is, and shakes hands.
pub(crate) async fn tls(
    authority: &Authority,
    front: SocketAddr,
    name: &str,
    protocols: &[&str],
    ahead: &[u8],
) -> TlsClient {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate_der()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let mut stream = within(TcpStream::connect(front)).await.unwrap();
    stream.write_all(ahead).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    within(TlsConnector::from(Arc::new(config)).connect(name, stream))
        .await
        .unwrap()
}

/// Longer than anything here takes on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}
