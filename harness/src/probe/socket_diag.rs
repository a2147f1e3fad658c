//! What the kernel knows about one TCP connection, asked by `sock_diag(7)`; nothing on other systems than Linux.

use std::net::SocketAddr;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Whether neither side has closed.
    pub(super) established: bool,
    /// Received, and not read by the program, in bytes.
    pub(super) unread: u32,
    /// Written, and not acknowledged by the other end, in bytes.
    pub(super) unacknowledged: u32,
}

/// What the kernel answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This end.
    End(End),
    /// There is no such connection, or not yet.
    Nothing,
    /// The kernel does not say: another system, or a sandbox.
    Unknown,
}

/// Asks for the end that is at `local` and whose other side is at `remote`, on this machine.
pub(super) fn end_of_connection(local: SocketAddr, remote: SocketAddr) -> Found {
    ask::ask(local, remote).unwrap_or(Found::Unknown)
}

#[cfg(not(target_os = "linux"))]
mod ask {
    use std::net::SocketAddr;

    pub(super) fn ask(_local: SocketAddr, _remote: SocketAddr) -> Option<super::Found> {
        None
    }
}

#[cfg(target_os = "linux")]
mod ask {
    use std::net::{IpAddr, SocketAddr};

    use rustix::net::netlink::{self, SocketAddrNetlink};
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
    };

    use super::{End, Found};

    /// The kernel answers within the send; `None` where it can't be asked.
    pub(super) fn ask(local: SocketAddr, remote: SocketAddr) -> Option<Found> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            flags,
            Some(netlink::SOCK_DIAG),
        );
        let socket = socket.ok()?;
        let request = request(local, remote);
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&socket, &request, SendFlags::empty(), &kernel).ok()?;
        let mut answer = [0; 1024];
        let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty()).ok()?;
        read(answer.get(..length)?)
    }

    /// `struct nlmsghdr` and `struct inet_diag_req_v2` of Linux, for exactly one connection.
    fn request(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
        let family = match local.ip() {
            IpAddr::V4(_) => AddressFamily::INET,
            IpAddr::V6(_) => AddressFamily::INET6,
        };
        let family =
            u8::try_from(family.as_raw()).expect("a family of the Internet is a small number");
        let mut body = vec![family, TCP, 0, 0];
        body.extend(u32::MAX.to_ne_bytes());
        body.extend(local.port().to_be_bytes());
        body.extend(remote.port().to_be_bytes());
        body.extend(address(local.ip()));
        body.extend(address(remote.ip()));
        body.extend(0_u32.to_ne_bytes());
        body.extend(NO_COOKIE);
        let length = u32::try_from(HEADER + body.len()).expect("72 bytes");
        let mut request = length.to_ne_bytes().to_vec();
        request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend(NLM_F_REQUEST.to_ne_bytes());
        request.extend([0; 8]);
        request.extend(body);
        request
    }

    fn address(address: IpAddr) -> [u8; 16] {
        match address {
            IpAddr::V4(v4) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&v4.octets());
                bytes
            }
            IpAddr::V6(v6) => v6.octets(),
        }
    }

    /// `struct inet_diag_msg` of Linux behind a header, or an error number.
    fn read(answer: &[u8]) -> Option<Found> {
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        let body = answer.get(HEADER..)?;
        let number = |at: usize| {
            let bytes = body.get(at..at + 4)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        if kind == NLMSG_ERROR {
            let error = number(0)?.cast_signed();
            let no_entry = rustix::io::Errno::NOENT.raw_os_error();
            return Some(if error == -no_entry {
                Found::Nothing
            } else {
                Found::Unknown
            });
        }
        if kind != SOCK_DIAG_BY_FAMILY {
            return None;
        }
        match *body.get(1)? {
            // Where there is no connection, the kernel finds the listener, and before it the handshake.
            LISTEN | SYN_RECEIVED | NEW_SYN_RECEIVED => Some(Found::Nothing),
            state => Some(Found::End(End {
                established: state == ESTABLISHED,
                unread: number(56)?,
                unacknowledged: number(60)?,
            })),
        }
    }

    /// The size of `struct nlmsghdr`.
    const HEADER: usize = 16;
    const NLMSG_ERROR: u16 = 2;
    const NLM_F_REQUEST: u16 = 1;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    /// `IPPROTO_TCP`.
    const TCP: u8 = 6;
    /// `INET_DIAG_NOCOOKIE`, twice: any connection of these addresses.
    const NO_COOKIE: [u8; 8] = [0xff; 8];

    const ESTABLISHED: u8 = 1;
    const SYN_RECEIVED: u8 = 3;
    const LISTEN: u8 = 10;
    const NEW_SYN_RECEIVED: u8 = 12;
}
