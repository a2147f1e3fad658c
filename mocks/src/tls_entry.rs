//! TLS before an upstream that speaks none itself.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificate::Leaf;
use crate::listeners::Listeners;

/// Ends TLS and passes the bytes on to an upstream; stops when dropped.
///
/// An end of either side, also one without `close_notify`, ends the other side's way; a broken connection resets both.
#[derive(Debug)]
pub struct TlsEntry {
    addresses: Vec<SocketAddr>,
    task: Option<JoinHandle<()>>,
}

impl TlsEntry {
    /// Listens on these addresses, port 0 for an ephemeral one, with this certificate; HTTP/1.1 is what ALPN gets.
    ///
    /// # Errors
    /// When one can't be bound, or the key is not the certificate's.
    ///
    /// # Panics
    /// Without any address.
    pub async fn start(
        upstream: SocketAddr,
        addresses: &[SocketAddr],
        leaf: &Leaf,
    ) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(configuration(leaf)?));
        let (first, others) = addresses.split_first().expect("a server has an address");
        let mut listeners = Listeners::bind(*first)?;
        let mut bound = vec![listeners.address()];
        for address in others {
            bound.push(listeners.add(*address)?);
        }
        Ok(Self {
            addresses: bound,
            task: Some(tokio::spawn(serve(listeners, acceptor, upstream))),
        })
    }

    /// Where it listens, in the order of the start.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops it and waits for the end of its tasks.
    ///
    /// # Panics
    /// With the panic of a task that panicked.
    pub async fn stop(mut self) {
        let Some(task) = self.task.take() else {
            return;
        };
        task.abort();
        if let Err(Ok(panic)) = task.await.map_err(JoinError::try_into_panic) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for TlsEntry {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn configuration(leaf: &Leaf) -> io::Result<ServerConfig> {
    let mut configuration = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(leaf.chain().to_vec(), leaf.key().clone_key())
        .map_err(io::Error::other)?;
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}

async fn serve(mut listeners: Listeners, acceptor: TlsAcceptor, upstream: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(ended) = connections.join_next() => {
                if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
                    std::panic::resume_unwind(panic);
                }
            }
            (stream, _) = listeners.accept() => {
                connections.spawn(pass(stream, acceptor.clone(), upstream));
            }
        }
    }
}

async fn pass(stream: TcpStream, acceptor: TlsAcceptor, upstream: SocketAddr) {
    let _ = stream.set_nodelay(true);
    // Who fails in the handshake has heard why.
    let Ok(mut client) = acceptor.accept(stream).await else {
        return;
    };
    if let Err(error) = both(&mut client, upstream).await
        // Closed without `close_notify`, as some programs do.
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        reset(client.get_ref().0);
    }
}

async fn both(client: &mut TlsStream<TcpStream>, upstream: SocketAddr) -> io::Result<()> {
    let mut upstream = TcpStream::connect(upstream).await?;
    let _ = upstream.set_nodelay(true);
    let copied = tokio::io::copy_bidirectional(client, &mut upstream).await;
    if copied
        .as_ref()
        .is_err_and(|error| error.kind() != io::ErrorKind::UnexpectedEof)
    {
        reset(&upstream);
    }
    copied.map(|_| ())
}

fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
