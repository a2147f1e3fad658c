//! What an upstream sees in the place of the part of a path that a location matched.
//!
//! The rules are those of NGINX's `proxy_pass` with a path (measured on 1.22.1): the rest comes from the normalised path,
//! and is escaped only where the client had escaped something.

/// What stands in the place of the part of a path that a location matched.
#[derive(Debug)]
pub(crate) struct Replacement(Box<[u8]>);

impl Replacement {
    /// Checks what goes into request lines as it is; the message says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let is_lawful = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
        match text.starts_with('/') && text.bytes().all(is_lawful) {
            true => Ok(Self(text.as_bytes().into())),
            false => Err(format!("`{text}` is not a path as request lines have it")),
        }
    }

    /// A normalised path without its first bytes, which the location matched.
    pub(crate) fn of(&self, path: &[u8], matched: usize, came: Escapes) -> Vec<u8> {
        // A path that lacks the location's final slash is shorter than its name.
        let rest = &path[matched.min(path.len())..];
        let mut replaced = Vec::with_capacity(self.0.len() + rest.len());
        replaced.extend_from_slice(&self.0);
        match came {
            Escapes::None => replaced.extend_from_slice(rest),
            Escapes::Some => escape(rest, &mut replaced),
        }
        replaced
    }
}

/// Whether a path had escapes when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escapes {
    None,
    Some,
}

impl Escapes {
    /// Whether there are any in this path.
    pub(crate) fn of(path: &[u8]) -> Self {
        match path.contains(&b'%') {
            true => Self::Some,
            false => Self::None,
        }
    }
}

fn escape(path: &[u8], escaped: &mut Vec<u8>) {
    for &byte in path {
        if stands_for_itself(byte) {
            escaped.push(byte);
        } else {
            escaped.push(b'%');
            escaped.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
        }
    }
}

/// What RFC 3986 allows in a path; not the percent sign, which would begin an escape.
fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/[]@!$&'()*+,;=".contains(&byte)
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::{Escapes, Replacement};

    fn replaced(text: &str, matched: &str, path: &[u8], came: Escapes) -> String {
        let replacement = Replacement::new(text).unwrap();
        let bytes = replacement.of(path, matched.len(), came);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn the_matched_part_is_replaced_and_no_slash_is_made_up() {
        let cases = [
            ("/", "/llm/", "/llm/v1/x", "/v1/x"),
            ("/", "/llm/", "/llm/", "/"),
            ("/", "/llm/", "/llm", "/"),
            ("/x/y", "/pre", "/pre/z", "/x/y/z"),
            ("/x/y", "/pre", "/pref", "/x/yf"),
            ("/uno", "/one", "/one", "/uno"),
        ];
        for (text, matched, path, expected) in cases {
            let replaced = replaced(text, matched, path.as_bytes(), Escapes::None);
            assert_eq!(replaced, expected, "{path}");
        }
    }

    #[test]
    fn what_was_escaped_is_escaped_anew_where_it_has_to_be() {
        let path = b"/a b?\"<>\\^`{|}#%\x7f\xc3\xa9\x01/[]@!$&'()*+,-.:;=_~";
        assert_eq!(
            replaced("/", "/", path, Escapes::Some),
            "/a%20b%3F%22%3C%3E%5C%5E%60%7B%7C%7D%23%25%7F%C3%A9%01/[]@!$&'()*+,-.:;=_~"
        );
        assert_eq!(replaced("/", "/", b"/<x>^{|}", Escapes::None), "/<x>^{|}");
        assert_eq!(Escapes::of(b"/%41"), Escapes::Some);
        assert_eq!(Escapes::of(b"/A"), Escapes::None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "x", "http://x/", "/ ", "/?x=1", "/#x", "/\r\n", "/é"] {
            assert!(Replacement::new(text).is_err(), "{text}");
        }
    }
}
