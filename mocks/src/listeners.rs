//! One server's addresses, listened on together: [`Listeners`].

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// What a server listens on; closed and opened again as a whole.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// As bound, in the order in which they were added.
    addresses: Vec<SocketAddr>,
    /// One for each address; none while the server refuses connections.
    open: Vec<TcpListener>,
    /// Which one is asked first: a busy one must not starve the others.
    first: usize,
}

impl Listeners {
    /// Listens on this address; port 0 for an ephemeral one.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = bind(address)?;
        Ok(Self {
            addresses: vec![listener.local_addr()?],
            open: vec![listener],
            first: 0,
        })
    }

    /// Listens on this one too; gives it as bound.
    pub(crate) fn add(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = bind(address)?;
        let address = listener.local_addr()?;
        self.addresses.push(address);
        if self.is_open() {
            self.open.push(listener);
        }
        Ok(address)
    }

    /// The first address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Refuses connections from now on.
    pub(crate) fn close(&mut self) {
        self.open.clear();
    }

    /// Listens on the same addresses again, where it does not.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        if !self.is_open() {
            let bound = self.addresses.iter().map(|address| bind(*address));
            self.open = bound.collect::<io::Result<_>>()?;
        }
        Ok(())
    }

    /// The next connection of any address; waits for ever while closed. Cancel-safe.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match std::future::poll_fn(|context| self.poll_accept(context)).await {
                Ok(accepted) => return accepted,
                // Out of descriptors, or the peer is gone already: the next may do better.
                Err(_) => backoff().await,
            }
        }
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let open = self.open.len();
        for index in (self.first..self.first + open).map(|turn| turn % open) {
            if let Poll::Ready(accepted) = self.open[index].poll_accept(context) {
                self.first = index + 1;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server that is out of descriptors must not spin"
)]
async fn backoff() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Binds with SO_REUSEADDR, so that a port can be listened on again while old connections linger.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Room for ten thousand clients that connect at once.
const BACKLOG: u32 = 16 * 1024;
