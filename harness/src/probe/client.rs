//! A client with an address of its own choice: [`Client`], and where it goes in: [`Entrance`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use proxyproof_mocks::Moment;
use proxyproof_mocks::dial;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::connection::Connection;
use super::error::ProbeError;
use super::exchange::silent;
use super::proxy_header::ProxyHeader;
use super::raw::RawConnection;
use super::raw_h2::RawH2;
use super::segment::taken;
use super::stream::{Lever, Stream};
use super::tls::Trust;
use crate::patience::Patience;
use crate::protocol::Protocol;

/// The address that probes claim where a scenario does not choose one (RFC 5737).
pub const CLIENT_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
/// Another client's address (RFC 5737).
pub const OTHER_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 23));
/// The address that clients connect from where no PROXY header names them: of this machine, and not the one that forgers
/// like. Linux has all of 127.0.0.0/8.
pub const UNNAMED_ADDRESS: IpAddr = IpAddr::V4(if cfg!(target_os = "linux") {
    Ipv4Addr::new(127, 0, 0, 7)
} else {
    Ipv4Addr::LOCALHOST
});
/// A client's address in IP version 6 (RFC 3849).
pub const V6_ADDRESS: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));

/// Where clients of one protocol connect.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// What is spoken there.
    pub protocol: Protocol,
    /// The listener.
    pub address: SocketAddr,
    /// The host that requests name, and TLS asks for (SNI).
    pub host: String,
    /// Whom TLS trusts; none where it is spoken without TLS.
    pub trust: Option<Trust>,
}

/// Which address a PROXY header claims; without one, a loopback address is the one that is connected from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// This address, with the port the connection really has.
    Host(IpAddr),
    /// This address and port.
    Exactly(SocketAddr),
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self::Host(address)
    }
}

impl From<SocketAddr> for ClientAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Exactly(address)
    }
}

/// A client before it connects.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `connect` or `raw`"]
pub struct Client {
    entrance: Entrance,
    address: ClientAddress,
    header: ProxyHeader,
    /// Bytes of the PROXY header that go out in one segment.
    segment: usize,
    server_name: String,
    alpn: Vec<Vec<u8>>,
    bareness: Bareness,
}

/// How much of the way in is made before a raw connection is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bareness {
    /// PROXY header and TLS.
    Dressed,
    /// TCP only.
    Bare,
}

/// A connection after PROXY header and TLS.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) stream: Stream,
    pub(crate) lever: Lever,
    pub(crate) client: SocketAddr,
    pub(crate) connected_at: Moment,
}

impl Client {
    /// A client of [`CLIENT_ADDRESS`] with a version 1 header, the entrance's host as SNI, and its protocol as ALPN.
    pub fn new(entrance: Entrance) -> Self {
        Self {
            address: CLIENT_ADDRESS.into(),
            header: ProxyHeader::V1,
            segment: usize::MAX,
            server_name: entrance.host.clone(),
            alpn: vec![entrance.protocol.alpn().as_bytes().to_vec()],
            bareness: Bareness::Dressed,
            entrance,
        }
    }

    /// Another client address.
    pub fn from(mut self, address: impl Into<ClientAddress>) -> Self {
        self.address = address.into();
        self
    }

    /// Another PROXY header, or none.
    pub fn header(mut self, header: ProxyHeader) -> Self {
        self.header = header;
        self
    }

    /// The PROXY header in segments of so many bytes, each sent once the one before was read.
    pub fn header_in_segments(mut self, bytes: usize) -> Self {
        self.segment = bytes.max(1);
        self
    }

    /// Another server name in TLS.
    pub fn sni(mut self, server_name: impl Into<String>) -> Self {
        self.server_name = server_name.into();
        self
    }

    /// Other protocols to offer by ALPN, in order of preference; none means no ALPN at all.
    ///
    /// [`Client::connect`] still insists on the protocol of the entrance, [`Client::raw`] on nothing.
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        self
    }

    /// Neither PROXY header nor TLS: for [`Client::raw`].
    pub fn bare(mut self) -> Self {
        self.bareness = Bareness::Bare;
        self
    }

    /// Where it goes in.
    pub fn entrance(&self) -> &Entrance {
        &self.entrance
    }

    /// Connects and is ready for requests.
    ///
    /// # Errors
    /// [`ProbeError::Connect`], [`ProbeError::Tls`], [`ProbeError::Alpn`], [`ProbeError::Silent`]. That a candidate
    /// refuses the PROXY header shows in the first exchange only.
    pub async fn connect(&self) -> Result<Connection, ProbeError> {
        let way = self.checked_way().await?;
        Connection::over(way, self.entrance.protocol).await
    }

    /// Connects and leaves every byte to the scenario; PROXY header and TLS are done unless [`Client::bare`].
    ///
    /// # Errors
    /// As [`Client::connect`], but for ALPN.
    pub async fn raw(&self) -> Result<RawConnection, ProbeError> {
        Ok(RawConnection::over(self.way().await?))
    }

    /// Connects, and writes and reads HTTP/2 frames with every byte of them under control.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn raw_h2(&self) -> Result<RawH2, ProbeError> {
        let way = self.checked_way().await?;
        RawH2::over(RawConnection::over(way), self.entrance.protocol).await
    }

    /// A way in on which the protocol of the entrance is spoken.
    pub(crate) async fn checked_way(&self) -> Result<Way, ProbeError> {
        let way = self.way().await?;
        self.check_alpn(&way.stream)?;
        Ok(way)
    }

    async fn way(&self) -> Result<Way, ProbeError> {
        let awaited = "a connection with PROXY header and TLS";
        let way = Patience::CONNECT.within(awaited, self.make_way()).await;
        way.map_err(|ran_out| silent(ran_out, &format!("connecting to {}", self.entrance.address)))?
    }

    async fn make_way(&self) -> Result<Way, ProbeError> {
        let address = self.entrance.address;
        let failed = |cause: io::Error| ProbeError::Connect {
            address,
            cause: Arc::new(cause),
        };
        let mut tcp = dial(address, self.own_address()).await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        // Before anything is written that the peer may close for: then it has no address any more.
        let lever = Lever::of(&tcp).map_err(failed)?;
        let local = lever.local;
        if self.bareness == Bareness::Bare {
            return Ok(Way::new(Stream::Plain(tcp), lever, local));
        }
        let client = match self.address {
            ClientAddress::Host(host) => SocketAddr::new(host, local.port()),
            ClientAddress::Exactly(address) => address,
        };
        self.write_header(&mut tcp, &lever, client)
            .await
            .map_err(failed)?;
        let stream = match &self.entrance.trust {
            Some(trust) => {
                let secured = trust.connect(tcp, &self.server_name, &self.alpn).await;
                Stream::Tls(Box::new(secured.map_err(|cause| ProbeError::Tls {
                    address,
                    server_name: self.server_name.clone(),
                    cause: Arc::new(cause),
                })?))
            }
            None => Stream::Plain(tcp),
        };
        let claimed = match self.header {
            ProxyHeader::None => local,
            _ => client,
        };
        Ok(Way::new(stream, lever, claimed))
    }

    async fn write_header(
        &self,
        tcp: &mut TcpStream,
        lever: &Lever,
        client: SocketAddr,
    ) -> io::Result<()> {
        let header = self.header.encode(client);
        let (first, rest) = header.split_at(self.segment.min(header.len()));
        tcp.write_all(first).await?;
        for segment in rest.chunks(self.segment) {
            taken(lever).await;
            // Whoever does not wait for the rest has closed: the first exchange tells.
            let _ = tcp.write_all(segment).await;
        }
        Ok(())
    }

    /// The address of this machine that it was told to have, where no header can say so.
    fn own_address(&self) -> Option<IpAddr> {
        match self.address {
            ClientAddress::Host(host) if self.header == ProxyHeader::None => {
                Some(host).filter(IpAddr::is_loopback)
            }
            _ => None,
        }
    }

    fn check_alpn(&self, stream: &Stream) -> Result<(), ProbeError> {
        let wanted = self.entrance.protocol.alpn();
        let chosen = stream.alpn();
        // Without ALPN a client goes on with HTTP/1.1 (RFC 9113 section 3.2).
        let speaks = chosen == Some(wanted.as_bytes()) || chosen.is_none() && wanted != "h2";
        if speaks || self.entrance.trust.is_none() {
            return Ok(());
        }
        Err(ProbeError::Alpn {
            offered: wanted.to_owned(),
            chosen: String::from_utf8_lossy(chosen.unwrap_or_default()).into_owned(),
        })
    }
}

impl Way {
    fn new(stream: Stream, lever: Lever, client: SocketAddr) -> Self {
        Self {
            stream,
            lever,
            client,
            connected_at: Moment::now(),
        }
    }
}
