//! Listening on both loopback addresses under one port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// Where a front listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loopbacks {
    /// Where it was told to.
    AsTold,
    /// On `::1`, too, where it was told 127.0.0.1.
    Both,
}

/// Listeners that share a port.
pub(super) struct Bound {
    pub(super) address: SocketAddr,
    pub(super) listeners: Vec<TcpListener>,
}

impl Loopbacks {
    pub(super) async fn bind(self, listen: SocketAddr) -> io::Result<Bound> {
        for _ in 0..ATTEMPTS {
            let first = TcpListener::bind(listen).await?;
            let address = first.local_addr()?;
            let mut bound = Bound {
                address,
                listeners: vec![first],
            };
            if self == Self::AsTold || address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
                return Ok(bound);
            }
            match TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await {
                Ok(second) => {
                    bound.listeners.push(second);
                    return Ok(bound);
                }
                // Somebody else has that port of `::1`: a client of `localhost` would end up there.
                Err(taken) if taken.kind() == io::ErrorKind::AddrInUse => {
                    if listen.port() != 0 {
                        return Err(taken);
                    }
                }
                Err(_no_ipv6) => return Ok(bound),
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

/// An ephemeral port that is free for one address is hardly ever taken for the other.
const ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_share_a_port_and_one_that_is_taken_is_told() {
        let bound = Loopbacks::Both
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        let port = bound.address.port();
        for listener in &bound.listeners {
            assert_eq!(listener.local_addr().unwrap().port(), port);
        }
        if let [_, second] = &bound.listeners[..] {
            assert_eq!(second.local_addr().unwrap().ip(), Ipv6Addr::LOCALHOST);
        }
        let again = Loopbacks::Both.bind(bound.address).await;
        assert_eq!(again.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn one_that_was_told_listens_there_only() {
        let bound = Loopbacks::AsTold
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        assert_eq!(bound.listeners.len(), 1);
    }
}
