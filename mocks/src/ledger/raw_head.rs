//! A head as it was received.

use std::fmt;

use bytes::Bytes;

use super::Field;

/// The bytes of a head, from the first of its start line to the empty line that ends it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawHead(Bytes);

impl RawHead {
    /// Takes the bytes as they are.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as received.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The first word of the start line (lossy text).
    #[must_use]
    pub fn method(&self) -> String {
        text(
            self.start_line()
                .split(|&b| b == b' ')
                .next()
                .unwrap_or_default(),
        )
    }

    /// The second word of the start line, raw (lossy text): a request's target.
    #[must_use]
    pub fn target(&self) -> String {
        text(
            self.start_line()
                .split(|&b| b == b' ')
                .nth(1)
                .unwrap_or_default(),
        )
    }

    /// The last word of the start line (lossy text): a request's version.
    #[must_use]
    pub fn version(&self) -> String {
        text(
            self.start_line()
                .rsplit(|&b| b == b' ')
                .next()
                .unwrap_or_default(),
        )
    }

    /// The start line without its line end.
    #[must_use]
    pub fn start_line(&self) -> &[u8] {
        self.lines().next().unwrap_or_default()
    }

    /// Every field in order, names in the case they came in; a folded line belongs to the field before it.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let mut fields: Vec<(usize, usize, usize)> = Vec::new();
        let base = self.0.as_ptr() as usize;
        for line in self.lines().skip(1) {
            let start = line.as_ptr() as usize - base;
            let end = start + line.len();
            if line.is_empty() {
                break;
            }
            match fields.last_mut() {
                Some(last) if matches!(line[0], b' ' | b'\t') => last.2 = end,
                _ => {
                    let colon = line.iter().position(|&b| b == b':').unwrap_or(line.len());
                    fields.push((start, start + colon, end));
                }
            }
        }
        fields.into_iter().map(|field| self.field(field)).collect()
    }

    /// The values of every field of this name, case not regarded (lossy text).
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.fields()
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| text(&field.value))
            .collect()
    }

    /// The value of the first field of this name, case not regarded (lossy text).
    #[must_use]
    pub fn first(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    fn field(&self, (start, colon, end): (usize, usize, usize)) -> Field {
        let value = self.0[(colon + 1).min(end)..end].trim_ascii();
        Field {
            name: self.0.slice(start..colon),
            value: self.0.slice_ref(value),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|&b| b == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl fmt::Display for RawHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive(|&b| b == b'\n') {
            let (line, end) = match line.strip_suffix(b"\r\n") {
                Some(line) => (line, "\n"),
                None => match line.strip_suffix(b"\n") {
                    // A bare line feed is worth seeing.
                    Some(line) => (line, "\\x0a\n"),
                    None => (line, ""),
                },
            };
            for &byte in line {
                match byte {
                    b'\t' | 0x20..=0x7e => write!(f, "{}", char::from(byte))?,
                    _ => write!(f, "\\x{byte:02x}")?,
                }
            }
            f.write_str(end)?;
        }
        Ok(())
    }
}

impl fmt::Debug for RawHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawHead({:?})", self.to_string())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_case_are_kept() {
        let head =
            RawHead::new(&b"GET /a?b HTTP/1.1\r\nhOst: x\r\nX-A:  1 \r\n fold\r\nx-a:\r\n\r\n"[..]);
        assert_eq!(
            (head.method(), head.target(), head.version()),
            ("GET".into(), "/a?b".into(), "HTTP/1.1".into())
        );
        let names: Vec<_> = head.fields().iter().map(|f| text(&f.name)).collect();
        assert_eq!(names, ["hOst", "X-A", "x-a"]);
        assert_eq!(head.all("X-A"), ["1 \r\n fold", ""]);
        assert_eq!(head.first("host"), Some("x".into()));
        assert_eq!(head.first("none"), None);
    }

    #[test]
    fn displayed_with_escapes() {
        let head = RawHead::new(&b"GET /\xff HTTP/1.1\r\nA: \x01\n\r\n"[..]);
        assert_eq!(head.to_string(), "GET /\\xff HTTP/1.1\nA: \\x01\\x0a\n\n");
    }
}
