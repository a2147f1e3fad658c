//! What carries a client's bytes: the socket itself, or TLS over it.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What carries a client's bytes.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Whether written bytes may stay in it until it is flushed.
    const BUFFERS: bool;

    /// The socket below.
    fn socket(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    const BUFFERS: bool = false;

    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    const BUFFERS: bool = true;

    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}
