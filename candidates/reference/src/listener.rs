//! Listening sockets, and who gets the connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;

use crate::config::Listen;
use crate::error::ReferenceError;
use crate::worker::Order;

/// A worker as the acceptors see it.
#[derive(Clone)]
pub(crate) struct Hand {
    pub(crate) orders: UnboundedSender<Order>,
    /// Connections that it has.
    pub(crate) load: Arc<AtomicUsize>,
}

/// Takes an address.
pub(crate) fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ReferenceError> {
    try_bind(address).map_err(|cause| ReferenceError::Listen { address, cause })
}

fn try_bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Connections of an earlier run may still be in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Accepts connections and gives each to the worker that has fewest, until dropped.
pub(crate) struct Acceptor {
    listener: TcpListener,
    /// The same socket, for what must not wait for the event loop.
    socket: std::net::TcpListener,
    listen: Arc<Listen>,
    hands: Arc<[Hand]>,
}

impl Acceptor {
    pub(crate) fn new(
        socket: std::net::TcpListener,
        listen: Arc<Listen>,
        hands: Arc<[Hand]>,
    ) -> io::Result<Self> {
        let listener = TcpListener::from_std(socket.try_clone()?)?;
        Ok(Self {
            listener,
            socket,
            listen,
            hands,
        })
    }

    /// Accepts for as long as it is polled.
    pub(crate) async fn run(&self) {
        loop {
            match self
                .listener
                .accept()
                .await
                .and_then(|(socket, _)| socket.into_std())
            {
                Ok(socket) => self.give(socket),
                Err(error) if is_of_the_client(&error) => (),
                Err(_) => pause().await,
            }
        }
    }

    /// Accepts what waits already, so that closing the socket resets nobody.
    pub(crate) fn accept_waiting(&self) {
        while let Ok((socket, _)) = self.socket.accept() {
            if socket.set_nonblocking(true).is_ok() {
                self.give(socket);
            }
        }
    }

    /// The same socket for another acceptor.
    pub(crate) fn try_clone_socket(&self) -> io::Result<std::net::TcpListener> {
        self.socket.try_clone()
    }

    fn give(&self, socket: std::net::TcpStream) {
        let Some(hand) = self.hands.iter().min_by_key(|hand| hand.load.load(Relaxed)) else {
            return;
        };
        hand.load.fetch_add(1, Relaxed);
        // A worker that is gone is noticed by whoever joins it.
        let _ = hand.orders.send(Order::Serve(socket, self.listen.clone()));
    }
}

/// Whether accepting failed because the client is gone, not because the process is out of something.
fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "descriptors come back when other connections end; there is nothing to wait for"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Connections that wait to be accepted; the kernel cuts it to its own limit.
const BACKLOG: i32 = 4096;
