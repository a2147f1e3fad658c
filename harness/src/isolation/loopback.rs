//! The loopback interface of a new network namespace, which is down at first.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

/// Brings it up; its addresses come with that.
pub(super) fn raise() -> io::Result<()> {
    // `NETLINK_ROUTE` is protocol 0, the family's first.
    let kind = SocketType::RAW;
    let socket = socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, None)?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &request(), SendFlags::empty(), &kernel)?;
    let mut answer = [0; 1024];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    match acknowledged(answer.get(..length).unwrap_or_default()) {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::Error::from(io::ErrorKind::InvalidData)),
    }
}

/// `struct nlmsghdr` and `struct ifinfomsg` of `rtnetlink(7)`: interface 1, which is loopback in every namespace, goes up.
fn request() -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(LOOPBACK.to_ne_bytes());
    body.extend(UP.to_ne_bytes());
    body.extend(UP.to_ne_bytes());
    let length = u32::try_from(HEADER + body.len()).expect("a message of some bytes");
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend((REQUEST | ACKNOWLEDGE).to_ne_bytes());
    // Sequence and sender: nobody else uses this socket.
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// The error number of an acknowledgement, negative or 0.
fn acknowledged(answer: &[u8]) -> Option<i32> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    let error = answer.get(HEADER..HEADER + 4)?.try_into().ok()?;
    (kind == ERROR).then(|| i32::from_ne_bytes(error))
}

/// The length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// `RTM_NEWLINK`.
const NEW_LINK: u16 = 16;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_ACK`.
const ACKNOWLEDGE: u16 = 4;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// The index of the interface.
const LOOPBACK: i32 = 1;
/// `IFF_UP`, as flag and as what changes.
const UP: u32 = 1;
