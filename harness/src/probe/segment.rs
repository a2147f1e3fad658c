//! The gap between two segments: [`taken`].

use std::net::SocketAddr;
use std::time::Duration;

use crate::patience::Patience;

/// Waits until the peer's program has read everything that was written, so that what follows is a read of its own.
///
/// Where the system does not show its queues, and where a peer does not read on purpose, a short pause has to do.
pub(crate) async fn taken(local: SocketAddr, peer: SocketAddr) {
    let Some(_) = Queues::between(local, peer) else {
        NO_TABLE.pass().await;
        return;
    };
    let look = || {
        std::future::ready(match Queues::between(local, peer) {
            Some(queues) if queues.hold_something() => Err(format!("{queues:?}")),
            _ => Ok(()),
        })
    };
    // A peer that does not read leaves its queue full: the gap is as good as it gets then.
    let _ = UNREAD.eventually("the peer to read", look).await;
}

/// What the kernel holds on the way from one program to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Queues {
    unacknowledged: u64,
    unread: u64,
}

impl Queues {
    /// As the kernel's table has it; `None` where there is no table, or the connection is no longer in it.
    fn between(local: SocketAddr, peer: SocketAddr) -> Option<Self> {
        let table = match local {
            SocketAddr::V4(_) => "/proc/net/tcp",
            SocketAddr::V6(_) => "/proc/net/tcp6",
        };
        let text = std::fs::read_to_string(table).ok()?;
        let (here, there) = (table_form(local)?, table_form(peer)?);
        let mut queues = Self {
            unacknowledged: 0,
            unread: 0,
        };
        let mut found = false;
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace().skip(1);
            let (Some(from), Some(to), Some(_state), Some(held)) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            let Some((sending, receiving)) = held.split_once(':') else {
                continue;
            };
            if (from, to) == (&*here, &*there) {
                queues.unacknowledged = u64::from_str_radix(sending, 16).ok()?;
                found = true;
            } else if (from, to) == (&*there, &*here) {
                queues.unread = u64::from_str_radix(receiving, 16).ok()?;
            }
        }
        found.then_some(queues)
    }

    fn hold_something(self) -> bool {
        self.unacknowledged > 0 || self.unread > 0
    }
}

/// An address as `/proc/net/tcp` writes it: the bytes of each 32-bit word in the machine's order, in hexadecimal.
fn table_form(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(v4) = address else {
        // Probes connect to 127.0.0.1 only.
        return None;
    };
    let word = u32::from_ne_bytes(v4.ip().octets());
    Some(format!("{word:08X}:{:04X}", v4.port()))
}

/// A reader that is scheduled at all has read by then.
const UNREAD: Patience = Patience::new("segment gap", Duration::from_millis(500));
/// Long against a read on loopback, short against a scenario.
const NO_TABLE: Patience = Patience::new("segment gap", Duration::from_millis(20));

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn unread_bytes_are_seen_until_they_are_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"abc").await.unwrap();
        let (local, peer) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        assert_eq!(Queues::between(local, peer).unwrap().unread, 3);
        server.read_exact(&mut [0; 3]).await.unwrap();
        taken(local, peer).await;
        assert_eq!(Queues::between(local, peer).unwrap().unread, 0);
    }
}
