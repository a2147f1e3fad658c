//! JSON as Go's `encoding/json` writes it.

use std::fmt::Write as _;

use serde_json::Value;

/// Renders `value` compactly, in the order of its maps, with `<`, `>`, `&` and the two Unicode line
/// separators escaped as `\u00XX` (Go `encoding/json`, `SetEscapeHTML(true)`).
pub(crate) fn go_json(value: &Value) -> String {
    escape_markup(&value.to_string())
}

/// Those characters occur in compact JSON only inside strings, so the text can be escaped as a whole.
fn escape_markup(json: &str) -> String {
    if !json.contains(is_markup) {
        return json.to_owned();
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_markup(character) {
            let code = u32::from(character);
            write!(escaped, "\\u{code:04x}").expect("writing to a string cannot fail");
        } else {
            escaped.push(character);
        }
    }
    escaped
}

const fn is_markup(character: char) -> bool {
    matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markup_is_escaped_and_order_is_kept() {
        let value = json!({"b": "<a&b>\u{2028}", "a": 1});
        assert_eq!(
            go_json(&value),
            r#"{"b":"\u003ca\u0026b\u003e\u2028","a":1}"#
        );
    }
}
