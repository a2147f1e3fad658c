//! The accept loop of an upstream, and what it can be told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::Service;
use super::connection::{Connection, Program};
use super::running::{AtAccept, Handle};
use super::socket::Socket;
use crate::ledger::{How, LiveConnection};

/// What the accept loop can be told.
#[derive(Debug)]
pub(crate) enum Order {
    Pause,
    Resume,
    Close(oneshot::Sender<()>),
    Reopen(oneshot::Sender<io::Result<()>>),
    Stop,
}

/// Accepts connections, and owns their tasks.
pub(crate) struct Acceptor<S> {
    listener: Option<TcpListener>,
    accepting: Accepting,
    program: Arc<Program<S>>,
    handle: Arc<Handle>,
    orders: mpsc::UnboundedReceiver<Order>,
    connections: JoinSet<()>,
    panicked: Option<JoinError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    On,
    Paused,
}

impl<S: Service> Acceptor<S> {
    pub(crate) fn new(
        listener: TcpListener,
        program: Arc<Program<S>>,
        handle: Arc<Handle>,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        Self {
            listener: Some(listener),
            accepting: Accepting::On,
            program,
            handle,
            orders,
            connections: JoinSet::new(),
            panicked: None,
        }
    }

    /// Runs until told to stop; the first panic of a connection's task, if there was one.
    pub(crate) async fn run(mut self) -> Option<JoinError> {
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    None | Some(Order::Stop) => break,
                    Some(order) => self.obey(order),
                },
                Some(ended) = self.connections.join_next() => self.note(ended),
                accepted = accept(self.listener.as_ref(), self.accepting) => match accepted {
                    Ok((stream, peer)) => self.serve(stream, peer),
                    // Out of descriptors, or the peer is gone already: the next may do better.
                    Err(_) => backoff().await,
                },
            }
        }
        self.connections.abort_all();
        while let Some(ended) = self.connections.join_next().await {
            self.note(ended);
        }
        self.panicked
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Pause => self.accepting = Accepting::Paused,
            Order::Resume => self.accepting = Accepting::On,
            Order::Close(done) => {
                self.listener = None;
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
            Order::Reopen(done) => {
                let reopened = match &self.listener {
                    Some(_) => Ok(()),
                    None => {
                        bind(self.handle.address).map(|listener| self.listener = Some(listener))
                    }
                };
                let _ = done.send(reopened);
            }
            Order::Stop => {}
        }
    }

    fn note(&mut self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
            && self.panicked.is_none()
        {
            self.panicked = Some(error);
        }
    }

    fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        let record = self
            .program
            .ledger
            .open_connection(Arc::clone(&self.handle.name), peer);
        let socket = Socket::new(stream);
        let open = self.handle.connections.add(record.id, Arc::clone(&socket));
        match self.handle.at_accept() {
            AtAccept::Serve => {
                let program = Arc::clone(&self.program);
                let connection = Connection {
                    program,
                    socket,
                    record,
                };
                self.connections.spawn(async move {
                    connection.run().await;
                    drop(open);
                });
            }
            AtAccept::End(how) => {
                end(&socket, how);
                record.close();
            }
            AtAccept::Hold => {
                self.connections.spawn(async move {
                    hold(&socket, &record).await;
                    drop(open);
                });
            }
        }
    }
}

async fn hold(socket: &Socket, record: &LiveConnection) {
    let how = socket.until_cut().await;
    end(socket, how);
    record.close();
}

fn end(socket: &Socket, how: How) {
    match how {
        How::Fin => socket.end(),
        How::Reset => socket.reset_on_close(),
    }
}

async fn accept(
    listener: Option<&TcpListener>,
    accepting: Accepting,
) -> io::Result<(TcpStream, SocketAddr)> {
    match (listener, accepting) {
        (Some(listener), Accepting::On) => listener.accept().await,
        _ => std::future::pending().await,
    }
}

/// Binds with SO_REUSEADDR, so that a port can be listened on again while old connections linger.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an upstream that is out of descriptors must not spin"
)]
async fn backoff() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Room for ten thousand clients that connect at once.
const BACKLOG: u32 = 16 * 1024;
