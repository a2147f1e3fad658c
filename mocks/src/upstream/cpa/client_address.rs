//! Whose address CPA believes in: gin 1.10's `ClientIP` with every hop trusted, as CPA leaves it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The left-most entry of `X-Forwarded-For`, else of `X-Real-IP`, else the TCP peer. Of a repeated field only the
/// first line counts; one entry that is no address voids its whole line.
pub(crate) fn client_address(
    forwarded_for: Option<&str>,
    real_ip: Option<&str>,
    peer: SocketAddr,
) -> IpAddr {
    [forwarded_for, real_ip]
        .into_iter()
        .flatten()
        .find_map(leftmost)
        .unwrap_or_else(|| peer.ip())
}

/// Whether CPA takes `address` for a local client: these two texts and nothing else, so not 127.0.0.2.
pub(crate) fn is_local(address: IpAddr) -> bool {
    address == IpAddr::from([127, 0, 0, 1]) || address == IpAddr::V6(Ipv6Addr::LOCALHOST)
}

fn leftmost(line: &str) -> Option<IpAddr> {
    if line.is_empty() {
        return None;
    }
    let entries: Option<Vec<IpAddr>> = line.split(',').map(|entry| parse(entry.trim())).collect();
    entries?.first().copied()
}

/// Go's `net.ParseIP` (a mapped IPv4 address is that IPv4 address).
fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 4000))
    }

    #[test]
    fn the_leftmost_entry_wins() {
        let seen = client_address(Some("203.0.113.7, 127.0.0.1"), Some("198.51.100.1"), peer());
        assert_eq!(seen, IpAddr::from([203, 0, 113, 7]));
    }

    #[test]
    fn one_bad_entry_voids_the_line() {
        let seen = client_address(Some("unknown, 203.0.113.7"), Some("198.51.100.1"), peer());
        assert_eq!(seen, IpAddr::from([198, 51, 100, 1]));
        let seen = client_address(Some("127.0.0.1:4444"), None, peer());
        assert_eq!(seen, peer().ip());
    }

    #[test]
    fn only_two_addresses_are_local() {
        assert!(is_local(IpAddr::from([127, 0, 0, 1])));
        assert!(is_local(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert!(!is_local(IpAddr::from([127, 0, 0, 2])));
    }
}
