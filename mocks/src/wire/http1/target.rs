//! A request target, read as Go's `url.ParseRequestURI` reads it (Go 1.26).

use std::borrow::Cow;
use std::ops::Range;

/// Where the parts of a request target are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The authority of an absolute-form or authority-form target, as a range of the target.
    pub(crate) authority: Option<Range<usize>>,
    /// The path, percent-encoded as received.
    pub(crate) path: Range<usize>,
    /// The path decoded, where that differs.
    pub(crate) decoded_path: Option<Vec<u8>>,
    /// The query without `?`.
    pub(crate) query: Range<usize>,
}

impl Target {
    /// Reads the target of a request with this method; `None` if Go refuses it.
    pub(crate) fn parse(method: &[u8], target: &[u8]) -> Option<Self> {
        if target.is_empty() || target.iter().any(|&byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        if target == b"*" {
            return Some(Self::of_path(0..1, 1..1));
        }
        if method == b"CONNECT" && target[0] != b'/' {
            return Self::parse_after_scheme(target, 0, Scheme::Present);
        }
        match scheme_end(target)? {
            Some(colon) => {
                let rest = &target[colon + 1..];
                match rest.strip_prefix(b"//") {
                    Some(_) => Self::parse_after_scheme(target, colon + 3, Scheme::Present),
                    None if rest.starts_with(b"/") => {
                        Self::parse_after_scheme(target, colon + 1, Scheme::Absent)
                    }
                    // A rootless path is opaque to Go: accepted, with an empty path.
                    None => {
                        let (_, query) = split_query(target, colon + 1);
                        Some(Self::of_path(target.len()..target.len(), query))
                    }
                }
            }
            None if target[0] == b'/' => Self::parse_after_scheme(target, 0, Scheme::Absent),
            None => None,
        }
    }

    fn parse_after_scheme(target: &[u8], start: usize, scheme: Scheme) -> Option<Self> {
        let (end, query) = split_query(target, start);
        let path_start = match scheme {
            Scheme::Absent => start,
            Scheme::Present => target[start..end]
                .iter()
                .position(|&byte| byte == b'/')
                .map_or(end, |slash| start + slash),
        };
        let mut parsed = Self::of_path(path_start..end, query);
        if matches!(scheme, Scheme::Present) {
            let authority = start..path_start;
            valid_authority(&target[authority.clone()]).then_some(())?;
            parsed.authority = Some(authority);
        }
        let encoded = &target[parsed.path.clone()];
        if encoded.contains(&b'%') {
            parsed.decoded_path = Some(unescape(encoded, Plus::Kept)?);
        }
        Some(parsed)
    }

    fn of_path(path: Range<usize>, query: Range<usize>) -> Self {
        Self {
            authority: None,
            path,
            decoded_path: None,
            query,
        }
    }
}

enum Scheme {
    Present,
    Absent,
}

/// The position of the colon that ends a scheme; `None` at all if the target begins with a colon.
fn scheme_end(target: &[u8]) -> Option<Option<usize>> {
    for (index, &byte) in target.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return None,
            b':' => return Some(Some(index)),
            _ => return Some(None),
        }
    }
    Some(None)
}

fn split_query(target: &[u8], start: usize) -> (usize, Range<usize>) {
    match target[start..].iter().position(|&byte| byte == b'?') {
        Some(mark) => (start + mark, start + mark + 1..target.len()),
        None => (target.len(), target.len()..target.len()),
    }
}

/// Userinfo, host and port as far as Go refuses them: bad characters, bad escapes, a port that is not digits.
fn valid_authority(authority: &[u8]) -> bool {
    let host = match authority.iter().rposition(|&byte| byte == b'@') {
        Some(at) => {
            let user = &authority[..at];
            let valid =
                |&byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
            if !user.iter().all(valid) || unescape(user, Plus::Kept).is_none() {
                return false;
            }
            &authority[at + 1..]
        }
        None => authority,
    };
    let port = if host.starts_with(b"[") {
        let Some(bracket) = host.iter().rposition(|&byte| byte == b']') else {
            return false;
        };
        &host[bracket + 1..]
    } else {
        if host.contains(&b'[') || host.contains(&b']') {
            return false;
        }
        host.iter()
            .rposition(|&byte| byte == b':')
            .map_or(&[][..], |colon| &host[colon..])
    };
    let valid_port = match port.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    valid_port && host.iter().all(|&byte| valid_in_host(byte))
}

fn valid_in_host(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte)
}

/// What a plus sign stands for.
#[derive(Clone, Copy)]
pub(crate) enum Plus {
    /// Itself, as in a path.
    Kept,
    /// A space, as in a query.
    Space,
}

/// Undoes percent-encoding; `None` where `%` is not followed by two hexadecimal digits.
pub(crate) fn unescape(encoded: &[u8], plus: Plus) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, plus) {
            (b'%', _) => {
                let (&[high, low], after) = rest.split_first_chunk::<2>()?;
                decoded.push(hex_digit(high)? << 4 | hex_digit(low)?);
                rest = after;
            }
            (b'+', Plus::Space) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    Some(decoded)
}

/// The decoded values of a query parameter, in order; pairs Go's `url.ParseQuery` refuses are passed over.
pub(crate) fn query_values<'q>(
    query: &'q [u8],
    name: &'q [u8],
) -> impl Iterator<Item = Vec<u8>> + 'q {
    query
        .split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty() && !pair.contains(&b';'))
        .filter_map(move |pair| {
            let equals = pair
                .iter()
                .position(|&byte| byte == b'=')
                .unwrap_or(pair.len());
            let key = unescape(&pair[..equals], Plus::Space)?;
            let value = pair.get(equals + 1..).unwrap_or_default();
            if key == name {
                unescape(value, Plus::Space)
            } else {
                None
            }
        })
}

/// Bytes as text, invalid UTF-8 replaced.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .map(|digit| u8::try_from(digit).expect("below 16"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let parsed = Target::parse(b"GET", target)?;
        let path = parsed
            .decoded_path
            .unwrap_or_else(|| target[parsed.path.clone()].to_vec());
        Some((path, target[parsed.query].to_vec()))
    }

    #[test]
    fn forms_that_go_takes() {
        let cases: [(&[u8], &str, &str); 10] = [
            (b"/a/b?c=d?e", "/a/b", "c=d?e"),
            (b"/v1%2Fmodels", "/v1/models", ""),
            (b"//x", "//x", ""),
            (b"/a#b", "/a#b", ""),
            (b"/?", "/", ""),
            (b"*", "*", ""),
            (b"http://h.example:80/p?q", "/p", "q"),
            (b"http://h.example", "", ""),
            (b"mailto:x", "", ""),
            (b"HTTP:/p", "/p", ""),
        ];
        for (target, want_path, want_query) in cases {
            let (path, query) = path(target).unwrap_or_else(|| panic!("{target:?}"));
            assert_eq!(
                (path.as_slice(), query.as_slice()),
                (want_path.as_bytes(), want_query.as_bytes())
            );
        }
    }

    #[test]
    fn targets_that_go_refuses() {
        for target in [
            &b""[..],
            b"a",
            b"%2f",
            b"/%zz",
            b"/%2",
            b"/\x01",
            b"/\x7f",
            b":x",
            b"http://h:x/",
            b"http://a b/",
        ] {
            assert_eq!(path(target), None, "{target:?}");
        }
    }

    #[test]
    fn connect_names_an_authority() {
        let parsed = Target::parse(b"CONNECT", b"api.example.org:443").unwrap();
        assert_eq!(parsed.authority, Some(0..19));
        assert!(parsed.path.is_empty());
    }

    #[test]
    fn query_values_are_decoded() {
        let query = b"a=1&b=x+y%21&a=2&c;d=3&a=%zz";
        assert_eq!(query_values(query, b"a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(query_values(query, b"b").collect::<Vec<_>>(), [b"x y!"]);
        assert_eq!(query_values(query, b"d").count(), 0);
    }
}
