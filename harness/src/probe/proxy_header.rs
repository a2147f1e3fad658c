//! The PROXY protocol header a probe sends before everything else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use proxyproof_mocks::wire::proxy_protocol::{Checksum, ProxyVersion, Tlv, encode_v2_with};

/// What stands before the first byte of TLS or HTTP (PROXY protocol specification, sections 2.1 and 2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Nothing at all.
    None,
    /// Version 1, `TCP4` or `TCP6` by the client's address.
    V1,
    /// Version 1, `PROXY UNKNOWN`: no addresses.
    V1Unknown,
    /// Version 2, command PROXY, with the client's address.
    V2,
    /// Version 2, command LOCAL: a health check of the sender's own.
    V2Local,
    /// Version 2 with these type-length-values behind the client's address.
    V2With(Vec<Tlv>),
    /// Exactly these bytes, right or wrong.
    Bytes(Bytes),
}

impl ProxyHeader {
    /// The bytes to send for a connection of this client.
    #[must_use]
    pub fn encode(&self, client: SocketAddr) -> Bytes {
        let server = server_for(client);
        match self {
            Self::None => Bytes::new(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::V1 => ProxyVersion::V1.encode(client, server).into(),
            Self::V1Unknown => ProxyVersion::V1.encode_unknown().into(),
            Self::V2 => ProxyVersion::V2.encode(client, server).into(),
            Self::V2Local => ProxyVersion::V2.encode_unknown().into(),
            Self::V2With(entries) => {
                encode_v2_with(client, server, entries, Checksum::Absent).into()
            }
        }
    }
}

/// The public address the client would have connected to, of the client's own family (RFC 5737, RFC 3849).
fn server_for(client: SocketAddr) -> SocketAddr {
    let address = match client.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    };
    SocketAddr::new(address, 443)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_is_text() {
        let v4 = ProxyHeader::V1.encode("203.0.113.7:50000".parse().unwrap());
        assert_eq!(v4, "PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\r\n");
        let v6 = ProxyHeader::V1.encode("[2001:db8::7]:50000".parse().unwrap());
        assert_eq!(v6, "PROXY TCP6 2001:db8::7 2001:db8::1 50000 443\r\n");
        let unknown = ProxyHeader::V1Unknown.encode("203.0.113.7:1".parse().unwrap());
        assert_eq!(unknown, "PROXY UNKNOWN\r\n");
    }

    #[test]
    fn version_2_is_binary() {
        let client = "203.0.113.7:50000".parse().unwrap();
        let header = ProxyHeader::V2.encode(client);
        assert_eq!(&header[..16], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
        assert_eq!(&header[16..20], [203, 0, 113, 7]);
        let with = ProxyHeader::V2With(vec![Tlv {
            kind: 0xe0,
            value: b"x".to_vec(),
        }])
        .encode(client);
        assert_eq!(&with[28..], b"\xe0\0\x01x");
        assert_eq!(ProxyHeader::V2Local.encode(client)[12], 0x20);
    }
}
