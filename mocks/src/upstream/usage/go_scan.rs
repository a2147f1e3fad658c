//! Finds the end of the first JSON value in bytes, and says what is wrong with them in the words of Go's `encoding/json` scanner.

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// A value that ends here.
    Whole(usize),
    /// The start of a value, or nothing.
    Partial,
    /// No JSON, with Go's reason.
    Broken(String),
}

/// Scans for the first value; a number at the very end counts as partial, since it may go on.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let mut scanner = Scanner { bytes, at: 0 };
    match scanner.value() {
        Ok(()) => Scan::Whole(scanner.at),
        Err(Stop::End) => Scan::Partial,
        Err(Stop::Unexpected(context)) => {
            let byte = bytes[scanner.at];
            Scan::Broken(format!("invalid character {} {context}", quoted(byte)))
        }
    }
}

/// The first value of bytes that are all there is.
///
/// # Errors
/// With Go's reason.
pub(super) fn first_value(bytes: &[u8]) -> Result<&[u8], String> {
    match scan(bytes) {
        Scan::Whole(end) => Ok(&bytes[..end]),
        Scan::Broken(reason) => Err(reason),
        Scan::Partial if bytes.trim_ascii().is_empty() => Err("EOF".to_owned()),
        // A space would end a number.
        Scan::Partial => match scan(&[bytes, b" "].concat()) {
            Scan::Whole(end) => Ok(&bytes[..end]),
            _ => Err("unexpected EOF".to_owned()),
        },
    }
}

/// All of the bytes, which have to be one value (Go's `json.Unmarshal`).
///
/// # Errors
/// With Go's reason.
pub(super) fn only_value(bytes: &[u8]) -> Result<&[u8], String> {
    let value = match first_value(bytes) {
        Err(reason) if reason.ends_with("EOF") => {
            return Err("unexpected end of JSON input".to_owned());
        }
        other => other?,
    };
    match bytes[value.len()..]
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
    {
        Some(&byte) => Err(format!(
            "invalid character {} after top-level value",
            quoted(byte)
        )),
        None => Ok(value),
    }
}

enum Stop {
    End,
    /// The byte at hand does not belong here.
    Unexpected(String),
}

fn unexpected<T>(context: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Unexpected(context.into()))
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Result<u8, Stop> {
        self.bytes.get(self.at).copied().ok_or(Stop::End)
    }

    fn skip_space(&mut self) -> Result<u8, Stop> {
        while matches!(self.peek()?, b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        self.peek()
    }

    /// One value; containers are kept on a stack of their own, so that depth cannot overflow the program's.
    fn value(&mut self) -> Result<(), Stop> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            let first = self.skip_space()?;
            match first {
                b'{' | b'[' => {
                    self.at += 1;
                    if self.skip_space()? == closing(first) {
                        self.at += 1;
                    } else {
                        open.push(first);
                        if first == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => self.scalar(first)?,
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// What follows a value: ends containers until another value is due (`false`) or all are ended (`true`).
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, Stop> {
        while let Some(&container) = open.last() {
            let next = self.skip_space()?;
            if next == closing(container) {
                self.at += 1;
                open.pop();
                continue;
            }
            let context = if container == b'{' {
                "after object key:value pair"
            } else {
                "after array element"
            };
            if next != b',' {
                return unexpected(context);
            }
            self.at += 1;
            if container == b'{' {
                self.key()?;
            }
            return Ok(false);
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<(), Stop> {
        if self.skip_space()? != b'"' {
            return unexpected("looking for beginning of object key string");
        }
        self.string()?;
        if self.skip_space()? != b':' {
            return unexpected("after object key");
        }
        self.at += 1;
        Ok(())
    }

    fn scalar(&mut self, first: u8) -> Result<(), Stop> {
        match first {
            b'"' => self.string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => unexpected("looking for beginning of value"),
        }
    }

    fn literal(&mut self, literal: &str) -> Result<(), Stop> {
        for expected in literal.bytes() {
            if self.peek()? != expected {
                let expected = char::from(expected);
                return unexpected(format!("in literal {literal} (expecting '{expected}')"));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Stop> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                0..=0x1f => return unexpected("in string literal"),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Stop> {
        self.at += 1;
        match self.peek()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => {}
            b'u' => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.peek()?.is_ascii_hexdigit() {
                        return unexpected("in \\u hexadecimal character escape");
                    }
                }
            }
            _ => return unexpected("in string escape code"),
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Stop> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return unexpected("in numeric literal"),
        }
        if self.peek()? == b'.' {
            self.at += 1;
            if !self.peek()?.is_ascii_digit() {
                return unexpected("after decimal point in numeric literal");
            }
            self.digits()?;
        }
        if matches!(self.peek()?, b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            if !self.peek()?.is_ascii_digit() {
                return unexpected("in exponent of numeric literal");
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Stop> {
        while self.peek()?.is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }
}

fn closing(container: u8) -> u8 {
    if container == b'{' { b'}' } else { b']' }
}

/// Go's `quoteChar`: the byte as a character between single quotes.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => r#"'"'"#.to_owned(),
        b'\\' => r"'\\'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        0x20..=0x7e | 0xa1..=0xac | 0xae..=0xff => format!("'{}'", char::from(byte)),
        0x80..=0xad => format!("'\\u{:04x}'", byte),
        _ => format!("'\\x{byte:02x}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_says_to_broken_json() {
        let cases = [
            ("", "EOF"),
            ("{", "unexpected EOF"),
            ("x", "invalid character 'x' looking for beginning of value"),
            (
                "{x",
                "invalid character 'x' looking for beginning of object key string",
            ),
            (r#"{"a" 1"#, "invalid character '1' after object key"),
            (
                r#"{"a":1 "b""#,
                "invalid character '\"' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            ("[01]", "invalid character '1' after array element"),
            (
                "[1.x]",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                "tru3",
                "invalid character '3' in literal true (expecting 'e')",
            ),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            (r#""\q""#, "invalid character 'q' in string escape code"),
        ];
        for (text, reason) in cases {
            assert_eq!(
                first_value(text.as_bytes()),
                Err(reason.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn the_first_value_ends_where_it_ends() {
        assert_eq!(first_value(b"12"), Ok(b"12".as_slice()));
        assert_eq!(scan(b" {\"a\":[1,{}]} rest"), Scan::Whole(13));
        assert_eq!(scan(b"12"), Scan::Partial);
        assert_eq!(
            only_value(b"{} x"),
            Err("invalid character 'x' after top-level value".to_owned())
        );
        assert_eq!(
            only_value(b"{"),
            Err("unexpected end of JSON input".to_owned())
        );
        assert!(first_value("[".repeat(100_000).as_bytes()).is_err());
    }
}
