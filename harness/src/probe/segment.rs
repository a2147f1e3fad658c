//! The gap between two segments: [`taken`].

use std::future::ready;
use std::time::Duration;

use super::socket_diag::{Found, end_of_connection};
use super::stream::Lever;
use crate::patience::Patience;

/// Waits until the peer's program has read everything that was written, so that what follows is a read of its own.
///
/// Where the system does not show its queues, and where a peer does not read on purpose, a short pause has to do.
pub(crate) async fn taken(lever: &Lever) {
    if end_of_connection(lever.local, lever.peer) == Found::Unknown {
        UNSEEN.pass().await;
        return;
    }
    let look = || ready(look(lever));
    // A peer that does not read leaves its queue full: the gap is as good as it gets then.
    let _ = UNREAD.eventually("the peer to read", look).await;
}

/// `Ok` once there is nothing to wait for.
fn look(lever: &Lever) -> Result<(), String> {
    // In this order: what is acknowledged at the first look is in the peer's queue, or read, at the second.
    let here = end_of_connection(lever.local, lever.peer);
    let there = end_of_connection(lever.peer, lever.local);
    match (here, there) {
        // The peer has closed or reset the connection: it reads no more.
        (Found::Nothing | Found::Unknown, _) => Ok(()),
        (Found::End(here), _) if !here.established => Ok(()),
        (Found::End(here), Found::End(there)) if here.unacknowledged + there.unread == 0 => Ok(()),
        (here, there) => Err(format!("{here:?} {there:?}")),
    }
}

/// A reader that is scheduled at all has read by then, on a machine that is busy with other things too.
const UNREAD: Patience = Patience::new("segment gap", Duration::from_secs(2));
/// Long against a read on loopback, short against a scenario.
const UNSEEN: Patience = Patience::new("segment gap", Duration::from_millis(20));

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let client = TcpStream::connect(address).await.expect("it listens");
        let (server, _) = listener.accept().await.expect("a client");
        (client, server)
    }

    #[tokio::test]
    async fn unread_bytes_are_seen_until_they_are_read() {
        let (mut client, mut server) = pair().await;
        let lever = Lever::of(&client).unwrap();
        client.write_all(b"abc").await.unwrap();
        let unread = Patience::SETTLE.eventually("the bytes", || {
            let there = end_of_connection(lever.peer, lever.local);
            let seen = matches!(there, Found::End(end) if end.unread == 3);
            ready(seen.then_some(()).ok_or(format!("{there:?}")))
        });
        unread.await.unwrap();
        assert!(look(&lever).is_err());
        server.read_exact(&mut [0; 3]).await.unwrap();
        let read = Patience::SETTLE.eventually("the empty queue", || ready(look(&lever)));
        read.await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_has_closed_is_not_waited_for() {
        let (mut client, server) = pair().await;
        let lever = Lever::of(&client).unwrap();
        drop(server);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        assert_eq!(look(&lever), Ok(()));
    }

    #[test]
    fn a_listener_is_no_connection() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = "127.0.0.1:1".parse().unwrap();
        let found = end_of_connection(listener.local_addr().unwrap(), nobody);
        assert_eq!(found, Found::Nothing);
    }
}
