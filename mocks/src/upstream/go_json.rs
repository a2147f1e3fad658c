//! JSON as Go's `encoding/json` writes it.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Compact JSON, with `<`, `>`, `&` and the two Unicode line separators escaped, and numbers as Go formats a `float64`.
pub(crate) fn go_json(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, GoFormatter);
    value
        .serialize(&mut serializer)
        .expect("these values have only strings as keys");
    String::from_utf8(text).expect("the serializer writes UTF-8")
}

/// The value with the keys of all its maps in order, as Go writes a `map`, and all its numbers as `float64`.
pub(crate) fn as_map(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, as_map(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(as_map).collect()),
        Value::Number(number) => number.as_f64().map_or(Value::Number(number), Value::from),
        other => other,
    }
}

/// Overrides what differs from `serde_json`.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            // Rust writes `1e-7` and `1e21`; Go writes `1e-7` and `1e+21`.
            let text = format!("{value:e}");
            let text = if size >= 1e21 {
                text.replace('e', "e+")
            } else {
                text
            };
            return writer.write_all(text.as_bytes());
        }
        write!(writer, "{value}")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_markup) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let character = rest[at..].chars().next().unwrap_or_default();
            write!(writer, "\\u{:04x}", u32::from(character))?;
            rest = &rest[at + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

fn is_markup(character: char) -> bool {
    matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_gos() {
        let numbers = [
            (2.0, "2"),
            (0.1, "0.1"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (1e20, "100000000000000000000"),
        ];
        for (number, text) in numbers {
            assert_eq!(go_json(&number), text);
        }
        assert_eq!(go_json(&1e21), "1e+21");
        assert_eq!(go_json(&-0.5), "-0.5");
    }

    #[test]
    fn markup_is_escaped_and_maps_are_sorted() {
        let value = as_map(json!({"b": "<a&b>\n", "a": [{"z": 1, "y": 12.50}]}));
        assert_eq!(
            go_json(&value),
            r#"{"a":[{"y":12.5,"z":1}],"b":"\u003ca\u0026b\u003e\n"}"#
        );
    }
}
