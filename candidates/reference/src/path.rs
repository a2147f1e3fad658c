//! The path that decides the route: decoded, dot segments resolved, slashes merged.
//!
//! The rules are NGINX's (`merge_slashes on`, measured on 1.22.1 and 1.31.3), so that routing here and there can be compared;
//! what is forwarded is the target as it came.

use std::borrow::Cow;

use crate::defect::{Defect, Defects};

/// Why a path has no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathError {
    /// `%` without two hexadecimal digits.
    Escape,
    /// `%00`.
    Nul,
    /// `..` beyond the root.
    AboveRoot,
}

/// The path as matched against locations; borrowed where nothing had to change.
pub(crate) fn normalise(path: &[u8], defects: Defects) -> Result<Cow<'_, [u8]>, PathError> {
    if is_plain(path) && !defects.has(Defect::StripPathParameters) {
        return Ok(Cow::Borrowed(path));
    }
    let mut decoded = decode(path, defects)?;
    if defects.has(Defect::DecodeTwice) {
        decoded = Cow::Owned(decode(&decoded, defects)?.into_owned());
    }
    resolve(&decoded, defects).map(Cow::Owned)
}

fn is_plain(path: &[u8]) -> bool {
    let mut after_slash = false;
    for &byte in path {
        if byte == b'%' || after_slash && (byte == b'/' || byte == b'.') {
            return false;
        }
        after_slash = byte == b'/';
    }
    true
}

fn decode(path: &[u8], defects: Defects) -> Result<Cow<'_, [u8]>, PathError> {
    if !path.contains(&b'%') || defects.has(Defect::NoPercentDecoding) {
        return Ok(Cow::Borrowed(path));
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        match escape(after) {
            Some(0) if !defects.has(Defect::ServeNul) => return Err(PathError::Nul),
            Some(b'/') if defects.has(Defect::EncodedSlashIsPlain) => {
                decoded.extend_from_slice(b"%2f")
            }
            Some(value) => decoded.push(value),
            None if defects.has(Defect::ServeBadEscape) => {
                decoded.push(byte);
                continue;
            }
            None => return Err(PathError::Escape),
        }
        rest = &after[2..];
    }
    Ok(Cow::Owned(decoded))
}

fn escape(digits: &[u8]) -> Option<u8> {
    let nibble = |at: usize| {
        digits
            .get(at)
            .and_then(|&digit| char::from(digit).to_digit(16))
    };
    let value = nibble(0)? << 4 | nibble(1)?;
    u8::try_from(value).ok()
}

fn resolve(path: &[u8], defects: Defects) -> Result<Vec<u8>, PathError> {
    let mut resolved = Vec::with_capacity(path.len());
    resolved.push(b'/');
    let mut segments = path
        .strip_prefix(b"/")
        .unwrap_or(path)
        .split(|&byte| byte == b'/')
        .peekable();
    while let Some(mut segment) = segments.next() {
        if defects.has(Defect::StripPathParameters) {
            segment = segment
                .split(|&byte| byte == b';')
                .next()
                .unwrap_or_default();
        }
        match segment {
            b"" if !defects.has(Defect::NoSlashMerging) => continue,
            b"." if !defects.has(Defect::NoDotResolving) => continue,
            b".." if !defects.has(Defect::NoDotResolving) => {
                if !climb(&mut resolved) && !defects.has(Defect::ServeAboveRoot) {
                    return Err(PathError::AboveRoot);
                }
                continue;
            }
            _ => resolved.extend_from_slice(segment),
        }
        if segments.peek().is_some() {
            resolved.push(b'/');
        }
    }
    Ok(resolved)
}

/// Takes the last segment off a path that ends in a slash; false at the root.
fn climb(resolved: &mut Vec<u8>) -> bool {
    if resolved.len() == 1 {
        return false;
    }
    resolved.pop();
    let parent = resolved
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    resolved.truncate(parent);
    true
}

#[cfg(test)]
mod tests {
    use super::{PathError, normalise};
    use crate::defect::Defects;

    #[test]
    fn paths_are_decoded_resolved_and_merged() {
        let cases: &[(&str, &[u8])] = &[
            ("/", b"/"),
            ("/v1/responses", b"/v1/responses"),
            ("//health", b"/health"),
            ("///health", b"/health"),
            ("/x/../health", b"/health"),
            ("/x/%2e%2e/health", b"/health"),
            ("/x/..%2fhealth", b"/health"),
            ("/%2fhealth", b"/health"),
            ("/%68ealth", b"/health"),
            ("/v1/responses/.", b"/v1/responses/"),
            ("/v1/responses/..", b"/v1/"),
            ("/v1/responses/../x", b"/v1/x"),
            ("/a//", b"/a/"),
            ("/%252e%252e/x", b"/%2e%2e/x"),
            ("/.well-known", b"/.well-known"),
            ("/...", b"/..."),
            ("/a;x=1/..;/b", b"/a;x=1/..;/b"),
            ("/health%20", b"/health "),
            ("/x%3Fa=1", b"/x?a=1"),
        ];
        for (path, expected) in cases {
            assert_eq!(
                normalise(path.as_bytes(), Defects::default()).as_deref(),
                Ok(*expected),
                "{path}"
            );
        }
    }

    #[test]
    fn paths_without_a_meaning_are_refused() {
        let cases = [
            ("/..", PathError::AboveRoot),
            ("/../health", PathError::AboveRoot),
            ("/%2e%2e/x", PathError::AboveRoot),
            ("/..%2fx", PathError::AboveRoot),
            ("/a/../../x", PathError::AboveRoot),
            ("//..", PathError::AboveRoot),
            ("/%", PathError::Escape),
            ("/%2", PathError::Escape),
            ("/%zz", PathError::Escape),
            ("/%00", PathError::Nul),
        ];
        for (path, expected) in cases {
            assert_eq!(
                normalise(path.as_bytes(), Defects::default()),
                Err(expected),
                "{path}"
            );
        }
    }
}
