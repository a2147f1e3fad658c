//! The PROXY protocol header that opens a connection, and whom it says the client is.
//!
//! Versions 1 and 2 of the specification of 2020/03/05, read by `proxy-protocol-rs`; the header may arrive in any number of segments.

use std::io;
use std::net::IpAddr;

use bytes::BytesMut;
use proxy_protocol_rs::{Command, ParseError, ProxyInfo, Version};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::defect::{Defect, Defects};

/// Who a connection's requests are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A client at this address.
    Client(IpAddr),
    /// Nobody that could be named, or a loopback address: served as such, every client would look local to the upstreams.
    Nobody,
}

impl Claim {
    /// The client's address as text.
    pub(crate) fn into_address(self) -> Option<Box<str>> {
        match self {
            Self::Client(address) => Some(address.to_string().into_boxed_str()),
            Self::Nobody => None,
        }
    }
}

/// A connection whose header was read, and the bytes that came after it.
pub(crate) struct Opened {
    /// Who the client is.
    pub(crate) claim: Claim,
    /// What the client has sent so far.
    pub(crate) early: BytesMut,
}

/// Reads the header that must open the connection; `None` if there is none or it is malformed.
pub(crate) async fn read_header(
    stream: &mut TcpStream,
    peer: IpAddr,
    defects: Defects,
) -> io::Result<Option<Opened>> {
    // Whoever reaches the listener from elsewhere could name any address.
    if !is_local(peer) {
        return Ok(None);
    }
    let mut early = BytesMut::with_capacity(EXPECTED);
    loop {
        if stream.read_buf(&mut early).await? == 0 {
            return Ok(None);
        }
        match proxy_protocol_rs::parse(&early) {
            Err(ParseError::Incomplete)
                if early.len() < LONGEST && !defects.has(Defect::OneSegmentProxyHeader) => {}
            Ok((info, _)) if info.version == Version::V2 && defects.has(Defect::RefuseProxyV2) => {
                return Ok(None);
            }
            Ok((info, length)) => {
                drop(early.split_to(length));
                return Ok(Some(Opened {
                    claim: claim(&info, peer, defects),
                    early,
                }));
            }
            Err(error) => return Ok(without_header(&error, early, peer, defects)),
        }
    }
}

fn claim(info: &ProxyInfo, peer: IpAddr, defects: Defects) -> Claim {
    if defects.has(Defect::IgnoreProxyAddress) {
        return Claim::Client(peer);
    }
    let named = match info.command {
        Command::Proxy => info.source_inet().map(|source| source.ip().to_canonical()),
        _ => None,
    };
    match named {
        None if defects.has(Defect::TrustUnknown) => Claim::Client(peer),
        Some(address) if !is_local(address) || defects.has(Defect::AcceptLoopbackClaim) => {
            Claim::Client(address)
        }
        _ => Claim::Nobody,
    }
}

/// What the defects make of a connection without a proper header.
fn without_header(
    error: &ParseError,
    mut early: BytesMut,
    peer: IpAddr,
    defects: Defects,
) -> Option<Opened> {
    let claim = Claim::Client(peer);
    match error {
        ParseError::NotProxyProtocol if defects.has(Defect::OptionalProxyHeader) => {
            Some(Opened { claim, early })
        }
        _ if defects.has(Defect::LenientProxyHeader) && early.starts_with(b"PROXY") => {
            let end = early
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(early.len(), |at| at + 1);
            drop(early.split_to(end));
            Some(Opened { claim, early })
        }
        _ => None,
    }
}

/// Whether an address means this machine to an upstream: loopback, mapped loopback or unspecified.
fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

/// Room for a version 1 header and the first request after it.
const EXPECTED: usize = 4 << 10;

/// A version 2 header is 16 bytes and what its 16-bit length says; longer ones than this carry nothing we know of.
const LONGEST: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::{Claim, read_header};
    use crate::defect::Defects;

    /// Sends the pieces as segments of their own; `None` where the connection would be closed.
    fn read(pieces: &[&[u8]]) -> Option<(Claim, Vec<u8>)> {
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap();
            client.set_nodelay(true).unwrap();
            let (mut server, peer) = listener.accept().await.unwrap();
            let send = async move {
                for piece in pieces {
                    client.write_all(&piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
                drop(client);
            };
            let (opened, ()) = tokio::join!(
                read_header(&mut server, peer.ip(), Defects::default()),
                send
            );
            opened
                .unwrap()
                .map(|opened| (opened.claim, opened.early.to_vec()))
        })
    }

    fn client(address: &str) -> Claim {
        Claim::Client(address.parse().unwrap())
    }

    #[test]
    fn a_client_is_named() {
        let request = b"GET / HTTP/1.1\r\n\r\n".as_slice();
        let four = read(&[b"PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\n", request]);
        assert!(matches!(four, Some((claim, _)) if claim == client("203.0.113.7")));
        let six = read(&[b"PROXY TCP6 2001:db8::7 ::1 5555 443\r\n"]);
        assert_eq!(six, Some((client("2001:db8::7"), vec![])));
        let together = read(&[b"PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\nGET"]);
        assert_eq!(together, Some((client("203.0.113.7"), b"GET".to_vec())));
        let source: SocketAddr = "203.0.113.7:5555".parse().unwrap();
        let destination: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let binary = proxy_protocol_rs::HeaderBuilder::v2_proxy(source, destination).build();
        let (first, second) = binary.split_at(13);
        assert_eq!(
            read(&[first, second]),
            Some((client("203.0.113.7"), vec![]))
        );
    }

    #[test]
    fn nobody_is_named() {
        for header in [
            "PROXY UNKNOWN\r\n",
            "PROXY UNKNOWN 203.0.113.7 127.0.0.1 5555 443\r\n",
            "PROXY TCP4 127.0.0.1 127.0.0.1 5555 443\r\n",
            "PROXY TCP4 127.9.9.9 127.0.0.1 5555 443\r\n",
            "PROXY TCP4 0.0.0.0 127.0.0.1 5555 443\r\n",
            "PROXY TCP6 ::1 ::1 5555 443\r\n",
            "PROXY TCP6 ::ffff:127.0.0.1 ::1 5555 443\r\n",
        ] {
            assert_eq!(
                read(&[header.as_bytes()]).map(|(claim, _)| claim),
                Some(Claim::Nobody),
                "{header}"
            );
        }
        let local = proxy_protocol_rs::HeaderBuilder::v2_local().build();
        assert_eq!(read(&[&local]).map(|(claim, _)| claim), Some(Claim::Nobody));
    }

    #[test]
    fn what_is_no_header_closes_the_connection() {
        for bytes in [
            "GET / HTTP/1.1\r\n\r\n",
            "proxy TCP4 203.0.113.7 127.0.0.1 5555 443\r\n",
            "PROXY TCP5 203.0.113.7 127.0.0.1 5555 443\r\n",
            "PROXY TCP4 203.0.113.7 127.0.0.1 5555\r\n",
            "PROXY TCP4 999.1.1.1 127.0.0.1 5555 443\r\n",
            "PROXY TCP4 203.0.113.7 127.0.0.1 99999 443\r\n",
            "PROXY TCP4 203.0.113.7 127.0.0.1 5555 443",
            "",
        ] {
            assert_eq!(read(&[bytes.as_bytes()]), None, "{bytes}");
        }
        assert_eq!(read(&[&[b'P'; 300]]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_cut_of_a_header_reads_the_same(cut in 1_usize..43) {
            let header = b"PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\nX";
            let (first, second) = header.split_at(cut);
            prop_assert_eq!(read(&[first, second]), Some((client("203.0.113.7"), b"X".to_vec())));
        }
    }
}
