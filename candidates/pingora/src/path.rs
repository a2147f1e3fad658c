//! How a path is compared with locations: as NGINX does it (ngx_http_parse_complex_uri, 1.22).

/// The path of a target in absolute form, which is for proxies that a client chose (RFC 9112 section 3.2.2); pingora leaves it as
/// it came.
pub(crate) fn without_authority(target: &str) -> Option<&str> {
    let (_, rest) = target
        .split_once("://")
        .filter(|(scheme, _)| !scheme.contains('/'))?;
    Some(rest.find('/').map_or("/", |path| &rest[path..]))
}

/// The path decoded, with slashes merged and dot segments resolved; none for one that is no path: a broken escape, a NUL,
/// or a step above the root.
pub(crate) fn compared(path: &str) -> Option<Vec<u8>> {
    let decoded = decoded(path.as_bytes())?;
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut parts = decoded.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            b"" | b"." if last => segments.push(b""),
            b"" | b"." => {}
            b".." => {
                segments.pop()?;
                if last {
                    segments.push(b"");
                }
            }
            part => segments.push(part),
        }
    }
    let mut compared = vec![b'/'];
    compared.extend(segments.join(&b'/'));
    Some(compared)
}

fn decoded(path: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.iter().copied();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        };
        if byte == 0 {
            return None;
        }
        decoded.push(byte);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::{compared, without_authority};

    #[test]
    fn an_absolute_target_has_a_path() {
        assert_eq!(without_authority("http://a.test/x?y=://"), Some("/x?y=://"));
        assert_eq!(without_authority("https://a.test"), Some("/"));
        assert_eq!(without_authority("/x?to=http://a.test/"), None);
    }

    #[test]
    fn paths_are_compared_decoded_and_resolved() {
        for (path, wanted) in [
            ("/", Some("/")),
            ("/a//b/./c", Some("/a/b/c")),
            ("/a/%2e%2e/b", Some("/b")),
            ("/a%2Fb", Some("/a/b")),
            ("/a/..", Some("/")),
            ("/a/b/..", Some("/a/")),
            ("/a/", Some("/a/")),
            ("/..", None),
            ("/%0", None),
            ("/%00", None),
        ] {
            let compared = compared(path).map(|path| String::from_utf8(path).unwrap());
            assert_eq!(compared.as_deref(), wanted, "{path}");
        }
    }
}
