//! PROXY protocol, versions 1 and 2, after HAProxy's text of 2020/03/05: right headers, deliberately wrong ones, and a strict reader.

use std::net::SocketAddr;

use proxy_protocol_rs as lenient;
use proxy_protocol_rs::{HeaderBuilder, V2_SIGNATURE};

pub use self::malformed::MalformedHeader;

mod malformed;

/// A version of the protocol.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ProxyVersion {
    /// The text form, one line.
    V1,
    /// The binary form.
    V2,
}

impl ProxyVersion {
    /// The header that names a TCP client and the address it connected to. The client's family decides, and an IPv4
    /// address mapped into IPv6 is unmapped first, since it has no place under `TCP4`.
    pub fn encode(self, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
        let (source, destination) = same_family(source, destination);
        match self {
            Self::V1 => HeaderBuilder::v1_proxy(source, destination).build(),
            Self::V2 => HeaderBuilder::v2_proxy(source, destination).build(),
        }
    }

    /// The header of a sender that does not know its client: `PROXY UNKNOWN`, or LOCAL without an address.
    pub fn encode_unknown(self) -> Vec<u8> {
        match self {
            Self::V1 => HeaderBuilder::v1_unknown().build(),
            Self::V2 => HeaderBuilder::v2_local().build(),
        }
    }
}

/// One type-length-value entry of a version 2 header, section 2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlv {
    /// Its type, such as 0x01 for ALPN or 0x04 for padding.
    pub kind: u8,
    /// Its value, at most 65 535 bytes.
    pub value: Vec<u8>,
}

/// A version 2 header with these entries after its addresses, and with a CRC32c entry if asked for.
pub fn encode_v2_with(
    source: SocketAddr,
    destination: SocketAddr,
    entries: &[Tlv],
    checksum: Checksum,
) -> Vec<u8> {
    let (source, destination) = same_family(source, destination);
    let mut builder = HeaderBuilder::v2_proxy(source, destination);
    for entry in entries {
        builder = builder.with_raw_tlv(entry.kind, entry.value.clone());
    }
    match checksum {
        Checksum::Absent => builder.build(),
        Checksum::Crc32c => builder.with_crc32c().build(),
    }
}

/// Whether a version 2 header carries its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// No CRC32c entry.
    Absent,
    /// A CRC32c entry over the whole header.
    Crc32c,
}

/// The health check of AWS's network load balancer: LOCAL, a family that says IPv4, and entries where the addresses should be
/// (kubernetes#57250).
pub fn load_balancer_check() -> Vec<u8> {
    let mut header = V2_SIGNATURE.to_vec();
    header.extend([0x20, 0x11, 0x00, 0x54]);
    header.extend([0x03, 0x00, 0x04, 0xbc, 0xe5, 0x95, 0x1f]);
    header.extend([0x04, 0x00, 0x4a]);
    header.resize(16 + 0x54, 0);
    header
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyHeader {
    /// Its version.
    pub version: ProxyVersion,
    /// The client's address and the one it connected to; `None` for `UNKNOWN`, LOCAL, UNSPEC and unix sockets, when the
    /// connection's own addresses hold.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
    /// The length of the header in bytes.
    pub length: usize,
}

/// Why bytes are no header, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyHeaderError {
    /// All bytes so far may open a header, but it is not whole.
    #[error("the PROXY header is not complete")]
    Incomplete,
    /// The bytes open no header of either version.
    #[error("no PROXY header")]
    Absent,
    /// A header that breaks a rule.
    #[error("malformed PROXY header: {reason}")]
    Malformed {
        /// The rule, in words.
        reason: String,
    },
}

impl ProxyHeader {
    /// Reads the header at the start of `bytes`, by every rule of the text.
    ///
    /// # Errors
    /// If it is incomplete, absent or malformed. `Absent` is told from the first byte that fits no header.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProxyHeaderError> {
        let opening = bytes.len().min(V2_SIGNATURE.len());
        if bytes[..opening] == V2_SIGNATURE[..opening] {
            return Self::parse_v2(bytes);
        }
        let opening = bytes.len().min(V1_OPENING.len());
        if bytes[..opening] == V1_OPENING[..opening] {
            return Self::parse_v1(bytes);
        }
        Err(ProxyHeaderError::Absent)
    }

    fn parse_v1(bytes: &[u8]) -> Result<Self, ProxyHeaderError> {
        let (info, length) = lenient::parse(bytes).map_err(refused)?;
        let line = &bytes[..length - b"\r\n".len()];
        if line.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return Err(malformed("a line end inside the line"));
        }
        let addresses = info.source_inet().zip(info.destination_inet());
        if addresses.is_some() {
            // proxy-protocol-rs takes `0080` and `+80`, which the text forbids.
            let mut ports = line.split(|byte| *byte == b' ').skip(4);
            if !ports.all(is_port) {
                return Err(malformed("a port with a sign or a leading zero"));
            }
        }
        Ok(Self {
            version: ProxyVersion::V1,
            addresses,
            length,
        })
    }

    fn parse_v2(bytes: &[u8]) -> Result<Self, ProxyHeaderError> {
        if let Some(&family) = bytes.get(13)
            && (family >> 4 > LAST_FAMILY || family & 0x0f > LAST_TRANSPORT)
        {
            return Err(malformed(
                "an address family or transport that does not exist",
            ));
        }
        match lenient::parse(bytes) {
            Ok((info, length)) => {
                let addresses = info.source_inet().zip(info.destination_inet());
                Ok(Self {
                    version: ProxyVersion::V2,
                    addresses,
                    length,
                })
            }
            // The text lets a proxy send UNSPEC: the connection's own addresses hold.
            Err(lenient::ParseError::Invalid(lenient::InvalidReason::UnspecWithProxy)) => {
                let length = 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
                Ok(Self {
                    version: ProxyVersion::V2,
                    addresses: None,
                    length,
                })
            }
            Err(reason) => Err(refused(reason)),
        }
    }
}

fn refused(reason: lenient::ParseError) -> ProxyHeaderError {
    match reason {
        lenient::ParseError::Incomplete => ProxyHeaderError::Incomplete,
        lenient::ParseError::NotProxyProtocol => ProxyHeaderError::Absent,
        lenient::ParseError::Invalid(reason) => malformed(&reason.to_string()),
        other => malformed(&other.to_string()),
    }
}

fn malformed(reason: &str) -> ProxyHeaderError {
    ProxyHeaderError::Malformed {
        reason: reason.to_owned(),
    }
}

fn is_port(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit) && (text == b"0" || text.first() != Some(&b'0'))
}

/// Both addresses in the client's family; a destination of the other family becomes that family's unspecified address.
fn same_family(source: SocketAddr, destination: SocketAddr) -> (SocketAddr, SocketAddr) {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (source, destination) = (plain(source), plain(destination));
    let destination = match (source, destination) {
        (SocketAddr::V4(_), SocketAddr::V6(_)) => SocketAddr::from(([0; 4], destination.port())),
        (SocketAddr::V6(_), SocketAddr::V4(address)) => {
            SocketAddr::from((address.ip().to_ipv6_mapped(), address.port()))
        }
        _ => destination,
    };
    (source, destination)
}

const V1_OPENING: &[u8] = b"PROXY ";
/// AF_UNIX.
const LAST_FAMILY: u8 = 3;
/// DGRAM.
const LAST_TRANSPORT: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn reads(bytes: &[u8]) -> Result<Option<(SocketAddr, SocketAddr)>, ProxyHeaderError> {
        ProxyHeader::parse(bytes).map(|header| header.addresses)
    }

    #[test]
    fn both_versions_read_back() {
        for (source, destination) in [
            ("203.0.113.7:5555", "127.0.0.1:443"),
            ("[2001:db8::7]:1", "[::1]:2"),
        ] {
            for version in [ProxyVersion::V1, ProxyVersion::V2] {
                let mut bytes = version.encode(address(source), address(destination));
                let length = bytes.len();
                bytes.extend(b"GET /");
                let header = ProxyHeader::parse(&bytes).unwrap();
                assert_eq!(header.length, length);
                assert_eq!(
                    header.addresses,
                    Some((address(source), address(destination)))
                );
                for end in 0..length {
                    assert_eq!(
                        reads(&bytes[..end]),
                        Err(ProxyHeaderError::Incomplete),
                        "{version:?} cut at {end}"
                    );
                }
            }
        }
    }

    #[test]
    fn text_is_as_published() {
        let bytes = ProxyVersion::V1.encode(
            address("[::ffff:203.0.113.7]:5555"),
            address("[::ffff:127.0.0.1]:443"),
        );
        assert_eq!(bytes, b"PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\n");
        assert_eq!(ProxyVersion::V1.encode_unknown(), b"PROXY UNKNOWN\r\n");
        assert_eq!(&ProxyVersion::V2.encode_unknown()[12..], [0x20, 0, 0, 0]);
    }

    #[test]
    fn headers_without_an_address_leave_the_connections_own() {
        let unspecified = [V2_SIGNATURE.as_slice(), &[0x21, 0x00, 0x00, 0x02, 9, 9]].concat();
        for bytes in [
            b"PROXY UNKNOWN\r\n".to_vec(),
            b"PROXY UNKNOWN ff 1 x\r\n".to_vec(),
            load_balancer_check(),
            unspecified,
        ] {
            let header = ProxyHeader::parse(&bytes).unwrap();
            assert_eq!((header.addresses, header.length), (None, bytes.len()));
        }
    }

    #[test]
    fn no_malformed_header_is_read() {
        for header in MalformedHeader::ALL {
            let verdict = reads(&header.bytes());
            let refused = matches!(
                verdict,
                Err(ProxyHeaderError::Malformed { .. } | ProxyHeaderError::Absent)
            );
            assert!(refused, "{}: {verdict:?}", header.describe());
        }
    }

    #[test]
    fn other_protocols_are_told_at_once() {
        for bytes in [
            b"G".as_slice(),
            b"PRI * HTTP/2.0",
            b"\x16\x03\x01",
            b"\r\n\r\n\r",
        ] {
            assert_eq!(reads(bytes), Err(ProxyHeaderError::Absent));
        }
    }
}
