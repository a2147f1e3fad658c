//! A request line, and what its words are made of.

use super::field_lines::Span;
use super::rejection::Rejection;

/// Method, target and version (major, minor) of a request line.
pub(crate) fn parse_request_line(
    bytes: &[u8],
    line: Span,
) -> Result<(Span, Span, (u8, u8)), Rejection> {
    let text = line.of(bytes);
    let start = line.start();
    let first = find_byte(b' ', text).ok_or(Rejection::BadRequest)?;
    let second = first + 1 + find_byte(b' ', &text[first + 1..]).ok_or(Rejection::BadRequest)?;
    let method = Span::new(start, start + first);
    let target = Span::new(start + first + 1, start + second);
    let version = parse_version(&text[second + 1..]).ok_or(Rejection::BadRequest)?;
    if first == 0 || !text[..first].iter().all(|&byte| is_token(byte)) {
        return Err(Rejection::BadRequest);
    }
    Ok((method, target, version))
}

fn parse_version(text: &[u8]) -> Option<(u8, u8)> {
    match text.strip_prefix(b"HTTP/")? {
        &[major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => Some((major - b'0', minor - b'0')),
        _ => None,
    }
}

pub(crate) fn find_byte(byte: u8, bytes: &[u8]) -> Option<usize> {
    memchr::memchr(byte, bytes)
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(byte: u8) -> bool {
    const TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");
    TOKEN[usize::from(byte)]
}

/// Which bytes are letters, digits, or one of these: looked up for every byte of a head.
pub(crate) const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}
