//! The fields of a JSON object, found without reading what is in them: a body of any size costs nothing.

/// The top-level fields of an object, as far as it can be read: what is broken ends it early.
#[derive(Debug)]
pub(crate) struct RawFields<'a> {
    rest: &'a [u8],
}

impl<'a> RawFields<'a> {
    /// The fields of `json`; none if it is not an object.
    pub(crate) fn of(json: &'a [u8]) -> Self {
        let rest = json.trim_ascii_start();
        Self {
            rest: rest.strip_prefix(b"{").unwrap_or_default(),
        }
    }

    fn field(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let rest = skip_separators(self.rest);
        let (name, rest) = string(rest)?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?;
        let (value, rest) = value(rest.trim_ascii_start())?;
        self.rest = rest;
        Some((name, value))
    }
}

impl<'a> Iterator for RawFields<'a> {
    /// The name without its quotes, and the value as it is written.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        field
    }
}

fn skip_separators(bytes: &[u8]) -> &[u8] {
    let at = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace() && *byte != b',');
    &bytes[at.unwrap_or(bytes.len())..]
}

/// The inside of the string at the front, and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = bytes.strip_prefix(b"\"")?;
    let end = string_end(inside)?;
    Some((&inside[..end], &inside[end + 1..]))
}

/// Where the closing quote is.
fn string_end(inside: &[u8]) -> Option<usize> {
    let mut escaped = false;
    inside.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })
}

/// The value at the front, as written, and what follows it.
fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match bytes.first()? {
        b'"' => string_end(&bytes[1..])? + 2,
        b'{' | b'[' => nested_length(bytes)?,
        _ => bytes
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace())?,
    };
    Some(bytes.split_at(length))
}

fn nested_length(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at += string_end(&bytes[at + 1..])? + 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(json: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        RawFields::of(json.as_bytes())
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn values_come_as_they_are_written() {
        let found = fields(r#" { "a" : 1 , "b":"x\"},{", "c":{"d":[1,"]"]},"e":true}"#);
        let expected = [
            ("a", "1"),
            ("b", r#""x\"},{""#),
            ("c", r#"{"d":[1,"]"]}"#),
            ("e", "true"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_broken_ends_it() {
        assert_eq!(fields(r#"{"model":"m","#).len(), 1);
        for broken in ["", "{", "[1]", "\"x\"", r#"{"model":"#, r#"{"a"}"#, "}{"] {
            assert_eq!(fields(broken), []);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = RawFields::of(&bytes).count();
        }

        #[test]
        fn nothing_of_json_is_lost(names in proptest::collection::vec("[a-z\"\\\\{}\\[\\],: ]{0,6}", 0..4)) {
            let object: serde_json::Map<String, serde_json::Value> = names
                .iter()
                .map(|name| (name.clone(), serde_json::json!({"x": [name, 1.5, null]})))
                .collect();
            let json = serde_json::Value::Object(object.clone()).to_string();
            prop_assert_eq!(fields(&json).len(), object.len());
        }
    }
}
