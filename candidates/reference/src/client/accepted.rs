//! A connection before its first request: whom it is from, and what is spoken on it.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::serve;
use super::{Activity, Client, Transport};
use crate::config::{Listen, Protocol, Site};
use crate::distortion::{Opening, opening, opening_wanted};
use crate::proxy_protocol::{Claim, Opened, read_header};
use crate::tls::Tls;
use crate::worker::Worker;

/// A connection that was accepted, and nothing read of it.
pub(crate) struct Accepted {
    pub(crate) worker: Rc<Worker>,
    pub(crate) peer: IpAddr,
    pub(crate) listen: Arc<Listen>,
    pub(crate) activity: Arc<Activity>,
}

impl Accepted {
    /// Serves a connection without TLS to its end.
    pub(crate) async fn serve(self, mut socket: TcpStream, protocol: Protocol) {
        let site = self.worker.live().site.clone();
        let Some(Opened { claim, early }) = self.begin(&mut socket, protocol, &site).await else {
            return;
        };
        let client = self.into_client(claim, protocol);
        serve(client, socket, early, &site).await;
    }

    /// Serves a connection with TLS to its end.
    pub(crate) async fn serve_tls(self, mut socket: TcpStream, tls: Arc<Tls>) {
        let site = self.worker.live().site.clone();
        let Some(Opened { claim, early }) = self.open(&mut socket, &site).await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = timeout(site.timeouts.header, tls.accept(socket, &early)) => accepted,
            () = self.worker.drain_begun() => return,
        };
        // A client that cannot agree has been told so, and one that is too slow is gone.
        let Ok(Ok((mut stream, protocol))) = accepted else {
            return;
        };
        let early = BytesMut::new();
        let Some(early) = self.first_bytes(&mut stream, early, protocol, &site).await else {
            return;
        };
        let client = self.into_client(claim, protocol);
        serve(client, stream, early, &site).await;
    }

    /// The same and the first bytes, where no TLS is between the two.
    async fn begin(
        &self,
        socket: &mut TcpStream,
        protocol: Protocol,
        site: &Site,
    ) -> Option<Opened> {
        let Opened { claim, early } = self.open(socket, site).await?;
        let early = self.first_bytes(socket, early, protocol, site).await?;
        Some(Opened { claim, early })
    }

    /// What opens the connection, if the listener wants anything.
    async fn open(&self, socket: &mut TcpStream, site: &Site) -> Option<Opened> {
        // Only a socket that is dead already refuses the option.
        let _ = socket.set_nodelay(true);
        if !self.listen.proxy_protocol {
            return Some(Opened {
                claim: Claim::Client(self.peer.to_canonical()),
                early: BytesMut::new(),
            });
        }
        let header = read_header(socket, self.peer, site.defects);
        tokio::select! {
            opened = timeout(site.timeouts.header, header) => opened.ok()?.ok()?,
            () = self.worker.drain_begun() => None,
        }
    }

    /// What defects leave of the first bytes; `None` where they end the connection.
    async fn first_bytes<S: Transport>(
        &self,
        stream: &mut S,
        early: BytesMut,
        protocol: Protocol,
        site: &Site,
    ) -> Option<BytesMut> {
        if protocol != Protocol::H1 || !opening_wanted(site.defects) {
            return Some(early);
        }
        let upstream = site.upstreams[0].servers[0];
        let opening = opening(stream, early, upstream, site.defects).boxed_local();
        match opening.await.ok()? {
            Opening::Serve(bytes) => Some(bytes),
            Opening::Over => None,
            Opening::Fatal => {
                self.worker.cut_all();
                None
            }
        }
    }

    fn into_client(self, claim: Claim, protocol: Protocol) -> Rc<Client> {
        self.activity.speaks(protocol);
        Rc::new(Client {
            worker: self.worker,
            activity: self.activity,
            listen: self.listen,
            address: claim.into_address(),
        })
    }
}
