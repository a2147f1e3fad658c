//! The front's listeners, its settings, and its running handle.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::log::Log;
use super::loopback::Loopbacks;
use super::running::RunningFront;
use super::tls::Tls;
use super::users::Users;
use super::{FallbackTable, FrontTimers, MinimumTls, UnknownNames};
use crate::certificate::Leaf;

/// A tunnel front to be started.
#[derive(Debug)]
pub struct Front {
    table: FallbackTable,
    leaves: Vec<Leaf>,
    protocols: Vec<String>,
    accept_proxy: AcceptProxy,
    timers: FrontTimers,
    minimum: MinimumTls,
    unknown_names: UnknownNames,
    listen: SocketAddr,
    plain: Option<PlainListener>,
    loopbacks: Loopbacks,
    aliases: Vec<(String, String)>,
    loopback_as: Option<IpAddr>,
    dial_from: Option<IpAddr>,
    users: Users,
}

/// Whether clients open with a PROXY header (`acceptProxyProtocol`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptProxy {
    /// They do not; one that does is no TLS client.
    #[default]
    Off,
    /// They have to, in version 1 or 2; one that does not is reset.
    Required,
}

/// A second listener without TLS that routes alike, for clients that trust no private authority.
#[derive(Clone, Debug)]
pub struct PlainListener {
    /// Where it listens; port 0 for an ephemeral one.
    pub listen: SocketAddr,
    /// The server name its connections stand for.
    pub host: String,
}

/// What all connections of a front share.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) table: FallbackTable,
    pub(super) tls: Tls,
    pub(super) accept_proxy: AcceptProxy,
    pub(super) timers: FrontTimers,
    pub(super) address: SocketAddr,
    pub(super) users: Users,
    aliases: Vec<(String, String)>,
    loopback_as: Option<IpAddr>,
    pub(super) dial_from: Option<IpAddr>,
}

impl Front {
    /// A front with this table and certificate on an ephemeral loopback port, offering `h2` and `http/1.1`.
    #[must_use]
    pub fn new(table: FallbackTable, certificate: Leaf) -> Self {
        Self {
            table,
            leaves: vec![certificate],
            protocols: vec!["h2".to_owned(), "http/1.1".to_owned()],
            accept_proxy: AcceptProxy::default(),
            timers: FrontTimers::default(),
            minimum: MinimumTls::default(),
            unknown_names: UnknownNames::default(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            plain: None,
            loopbacks: Loopbacks::AsTold,
            aliases: Vec::new(),
            loopback_as: None,
            dial_from: None,
            users: Users::default(),
        }
    }

    /// Offers these protocols, in this order; the front's order decides.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Requires a PROXY header of its clients, or not.
    #[must_use]
    pub fn accept_proxy(mut self, accept: AcceptProxy) -> Self {
        self.accept_proxy = accept;
        self
    }

    /// Adds a certificate behind those it has; the first is the one for unknown names.
    #[must_use]
    pub fn certificate(mut self, leaf: Leaf) -> Self {
        self.leaves.push(leaf);
        self
    }

    /// Waits as long as these say.
    #[must_use]
    pub fn timers(mut self, timers: FrontTimers) -> Self {
        self.timers = timers;
        self
    }

    /// Speaks no lower version of TLS.
    #[must_use]
    pub fn minimum_tls(mut self, minimum: MinimumTls) -> Self {
        self.minimum = minimum;
        self
    }

    /// Does this with server names that no certificate is for.
    #[must_use]
    pub fn unknown_names(mut self, what: UnknownNames) -> Self {
        self.unknown_names = what;
        self
    }

    /// Listens on this address; port 0 for an ephemeral one.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Listens without TLS, too.
    #[must_use]
    pub fn plain(mut self, listener: PlainListener) -> Self {
        self.plain = Some(listener);
        self
    }

    /// Listens on `::1`, too, wherever it listens on 127.0.0.1, under the same port; on a machine without IPv6 it does not.
    #[must_use]
    pub fn both_loopbacks(mut self) -> Self {
        self.loopbacks = Loopbacks::Both;
        self
    }

    /// Routes connections for server name `from` (empty: those without one) as if they were for `to`. The real program has
    /// no such setting; clients that cannot override names need it.
    #[must_use]
    pub fn alias(mut self, from: &str, to: &str) -> Self {
        self.aliases.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Reports clients on loopback to destinations under this address, since a right proxy may refuse one that claims to be
    /// local. The real program has no such setting.
    #[must_use]
    pub fn loopback_clients_as(mut self, address: IpAddr) -> Self {
        self.loopback_as = Some(address);
        self
    }

    /// Connects to destinations from this address of the machine, by which they then know everybody whom no PROXY header names.
    #[must_use]
    pub fn dial_from(mut self, address: IpAddr) -> Self {
        self.dial_from = Some(address);
        self
    }

    /// Recognises these users of the tunnel; their connections are closed, since there is no tunnel behind.
    #[must_use]
    pub(super) fn users(mut self, users: Users) -> Self {
        self.users = users;
        self
    }

    /// Binds and serves on the caller's runtime.
    ///
    /// # Errors
    /// When an address cannot be bound, or a key does not belong to its certificate.
    pub async fn start(self) -> io::Result<RunningFront> {
        let tls = Tls::new(
            &self.leaves,
            self.protocols,
            self.minimum,
            self.unknown_names,
        )?;
        let bound = self.loopbacks.bind(self.listen).await?;
        let address = bound.address;
        let settings = Arc::new(Settings {
            table: self.table,
            tls,
            accept_proxy: self.accept_proxy,
            timers: self.timers,
            address,
            aliases: self.aliases,
            loopback_as: self.loopback_as,
            dial_from: self.dial_from,
            users: self.users,
        });
        let log = Log::new();
        let mut running = RunningFront {
            address,
            plain_address: None,
            log,
            listeners: Vec::new(),
        };
        if let Some(plain) = self.plain {
            let bound = self.loopbacks.bind(plain.listen).await?;
            running.plain_address = Some(bound.address);
            for listener in bound.listeners {
                running.serve(listener, &settings, Some(plain.host.clone()));
            }
        }
        for listener in bound.listeners {
            running.serve(listener, &settings, None);
        }
        Ok(running)
    }
}

impl Settings {
    /// The name a connection is routed by.
    pub(super) fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        let alias = self.aliases.iter().find(|(from, _)| from == name);
        alias.map_or(name, |(_, to)| to)
    }

    /// The address a client is reported under, unless it claims one.
    pub(super) fn reported(&self, peer: SocketAddr) -> SocketAddr {
        match self.loopback_as {
            Some(address) if peer.ip().to_canonical().is_loopback() => {
                SocketAddr::new(address, peer.port())
            }
            _ => peer,
        }
    }
}
