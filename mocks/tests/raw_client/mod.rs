//! A client that sends and reads bytes as they are.

use std::net::SocketAddr;
use std::time::Duration;

use proxyproof_mocks::ProbeId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than anything here takes on any machine: a test that reaches it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    Reset,
}

pub(crate) struct RawClient {
    pub(crate) stream: TcpStream,
}

impl RawClient {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the upstream listens");
        stream
            .set_nodelay(true)
            .expect("a fresh socket takes options");
        Self { stream }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .await
            .expect("the peer reads");
    }

    /// Reads until what came ends with this.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !text.ends_with(end.as_bytes()) {
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut text)).await;
            let length =
                read.unwrap_or_else(|_| panic!("waited for {end:?}, got {:?}", lossy(&text)));
            let length = length.unwrap_or_else(|error| panic!("{error} after {:?}", lossy(&text)));
            assert!(length > 0, "ended before {end:?}, got {:?}", lossy(&text));
        }
        lossy(&text)
    }

    /// Reads to the end of the connection.
    pub(crate) async fn read_to_end(&mut self) -> (String, End) {
        let mut text = Vec::new();
        let read = async {
            loop {
                match self.stream.read_buf(&mut text).await {
                    Ok(0) => return End::Fin,
                    Ok(_) => {}
                    Err(_) => return End::Reset,
                }
            }
        };
        let end = tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the connection ends");
        (lossy(&text), end)
    }
}

/// A request head with a probe id and these further lines.
pub(crate) fn head(probe: ProbeId, line: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: a\r\nX-Proxyproof-Probe: {probe}\r\n{fields}\r\n")
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
