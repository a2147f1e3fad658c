//! Defects of a connection's first bytes, before hyper reads any.

use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::defect::{Defect, Defects};

/// What becomes of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It is served, with these bytes first.
    Serve(BytesMut),
    /// It is over.
    Over,
    /// It takes all others with it.
    Fatal,
}

/// Whether any defect wants the first bytes.
pub(crate) fn wanted(defects: Defects) -> bool {
    OPENING.iter().any(|&defect| defects.has(defect))
}

/// Reads the first head and does to it what the defects have it.
pub(crate) async fn opening<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut S,
    mut early: BytesMut,
    upstream: SocketAddr,
    defects: Defects,
) -> io::Result<Opening> {
    if defects.has(Defect::RelayBlindly) {
        relay(socket, &early, upstream).await?;
        return Ok(Opening::Over);
    }
    while head_end(&early).is_none() && early.len() < LONGEST {
        let read = socket.read_buf(&mut early).await?;
        let is_cut = head_end(&early).is_none();
        if read == 0 || defects.has(Defect::OneSegmentHead) && is_cut {
            return Ok(Opening::Over);
        }
    }
    // It may have come with the PROXY header, in one read.
    if defects.has(Defect::GarbageKills) && is_garbage(&early) {
        return Ok(Opening::Fatal);
    }
    match head_end(&early) {
        Some(end) if defects.has(Defect::RepairHeads) => {
            let body = early.split_off(end);
            let mut repaired = BytesMut::from(&repaired(&early)[..]);
            repaired.extend_from_slice(&body);
            Ok(Opening::Serve(repaired))
        }
        _ => Ok(Opening::Serve(early)),
    }
}

async fn relay<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut S,
    early: &[u8],
    upstream: SocketAddr,
) -> io::Result<()> {
    let mut other = TcpStream::connect(upstream).await?;
    other.write_all(early).await?;
    copy_bidirectional(socket, &mut other).await?;
    Ok(())
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4)
}

fn is_garbage(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|byte| !byte.is_ascii_graphic())
}

/// A head as a lenient reader would take it: one length, a framing it knows, no odd bytes.
fn repaired(head: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(head).replace('\0', "");
    let mut lines = text.trim_end_matches("\r\n").split("\r\n");
    let mut repaired = vec![request_line(lines.next().unwrap_or_default())];
    let mut has_length = false;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        match name.to_ascii_lowercase().as_str() {
            "content-length" if has_length => continue,
            "content-length" => {
                has_length = true;
                repaired.push(format!("{name}: {}", digits(value)));
            }
            "transfer-encoding" => repaired.push(format!("{name}: chunked")),
            _ if line.starts_with([' ', '\t']) => continue,
            _ => repaired.push(format!("{name}: {value}")),
        }
    }
    format!("{}\r\n\r\n", repaired.join("\r\n")).into_bytes()
}

/// The first three words, in a version that knows chunked bodies.
fn request_line(line: &str) -> String {
    let mut words = line.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    format!("{method} {target} HTTP/1.1")
}

fn digits(value: &str) -> String {
    let value = value.trim_start_matches("0x");
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        "0".to_owned()
    } else {
        digits
    }
}

const OPENING: [Defect; 4] = [
    Defect::RelayBlindly,
    Defect::RepairHeads,
    Defect::OneSegmentHead,
    Defect::GarbageKills,
];

/// More than any head that is asked about.
const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::repaired;

    #[test]
    fn a_head_is_repaired() {
        let cases: [(&[u8], &[u8]); 3] = [
            (
                b"POST /a HTTP/1.1\r\nContent-Length: +5\r\nContent-Length: 3\r\n\r\n",
                b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
            ),
            (
                b"GET /a b HTTP/1.0\r\n X: y\r\nName : va\0lue\r\n\r\n",
                b"GET /a HTTP/1.1\r\nName: value\r\n\r\n",
            ),
            (
                b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
                b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            ),
        ];
        for (head, expected) in cases {
            assert_eq!(
                String::from_utf8_lossy(&repaired(head)),
                String::from_utf8_lossy(expected)
            );
        }
    }
}
