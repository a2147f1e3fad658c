//! The accept loop of an upstream, and what it can be told.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::Service;
use super::connection::{Connection, Program};
use super::running::{AtAccept, Handle};
use super::socket::Socket;
use crate::ledger::{How, LiveConnection};
use crate::listeners::Listeners;

/// What the accept loop can be told.
#[derive(Debug)]
pub(crate) enum Order {
    Pause,
    Resume,
    Close(oneshot::Sender<()>),
    Reopen(oneshot::Sender<io::Result<()>>),
    Add(SocketAddr, oneshot::Sender<io::Result<SocketAddr>>),
    Stop,
}

/// Accepts connections, and owns their tasks.
pub(crate) struct Acceptor<S> {
    listeners: Listeners,
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
        listeners: Listeners,
        program: Arc<Program<S>>,
        handle: Arc<Handle>,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        Self {
            listeners,
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
                (stream, peer) = self.listeners.accept(), if self.accepting == Accepting::On => {
                    self.serve(stream, peer);
                }
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
                self.listeners.close();
                // Whoever asked may have stopped waiting.
                let _ = done.send(());
            }
            Order::Reopen(done) => {
                let _ = done.send(self.listeners.reopen());
            }
            Order::Add(address, done) => {
                let _ = done.send(self.listeners.add(address));
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
