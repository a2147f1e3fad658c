//! The destinations of the recordings: each answers with its published port, once a connection.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use proxyproof_mocks::front::FallbackTable;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Recording, text_of};

/// Running destinations, and what the one that was dialled has received.
pub(super) struct Destinations {
    addresses: BTreeMap<u16, SocketAddr>,
    seen: Arc<Mutex<Seen>>,
    length: watch::Receiver<usize>,
    _refusing: TcpSocket,
    _running: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    port: Option<u16>,
    bytes: Vec<u8>,
}

impl Destinations {
    pub(super) async fn start(recording: &Recording) -> std::io::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (grown, length) = watch::channel(0);
        let (mut addresses, mut running) = (BTreeMap::new(), JoinSet::new());
        // The length is what an answer waits for; ports differ in length, so it is not exact.
        let answers = recording
            .client_received
            .as_ref()
            .is_some_and(|text| !text.is_empty());
        for port in PORTS {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            addresses.insert(port, listener.local_addr()?);
            let (seen, grown) = (Arc::clone(&seen), grown.clone());
            running.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    serve(stream, port, answers, &seen, &grown).await;
                }
            });
        }
        // Port 8999 of the recordings refuses connections: bound and never listened on. A port that is given back could be
        // another trial's a moment later.
        let refusing = TcpSocket::new_v4()?;
        refusing.bind(([127, 0, 0, 1], 0).into())?;
        addresses.insert(8999, refusing.local_addr()?);
        Ok(Self {
            addresses,
            _refusing: refusing,
            seen,
            length,
            _running: running,
        })
    }

    pub(super) fn redirect(&self, table: FallbackTable) -> FallbackTable {
        self.addresses
            .iter()
            .fold(table, |table, (&port, &address)| {
                table.redirect(port, address)
            })
    }

    /// The published address of the destination that was dialled.
    pub(super) fn reached(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        seen.port.map(|port| format!("127.0.0.1:{port}"))
    }

    pub(super) fn received(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap();
        seen.port.map(|_| text_of(&seen.bytes))
    }

    /// Waits until what was received ends with these bytes.
    pub(super) async fn has_received(&self, end: &[u8]) {
        let mut length = self.length.clone();
        let arrived = length.wait_for(|_| self.seen.lock().unwrap().bytes.ends_with(end));
        let _ = tokio::time::timeout(super::PATIENCE, arrived).await;
    }
}

async fn serve(
    mut stream: TcpStream,
    port: u16,
    mut answers: bool,
    seen: &Mutex<Seen>,
    grown: &watch::Sender<usize>,
) {
    seen.lock().unwrap().port = Some(port);
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let total = {
            let mut seen = seen.lock().unwrap();
            seen.bytes.extend(&buffer[..length]);
            // Not the start of a binary PROXY header.
            let whole = seen
                .bytes
                .windows(4)
                .skip(1)
                .any(|bytes| bytes == b"\r\n\r\n");
            (seen.bytes.len(), whole)
        };
        if total.1 && std::mem::take(&mut answers) {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{port}\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        grown.send_replace(total.0);
    }
}

const PORTS: [u16; 5] = [8001, 8002, 8003, 8004, 8005];
