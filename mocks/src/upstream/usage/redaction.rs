//! What of a record is hidden before it is kept.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 in hex; empty of nothing.
pub(super) fn hashed(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A source that shows no secret and no whole address.
pub(super) fn masked(source: &str) -> String {
    if let Some((name, domain)) = source.split_once('@') {
        return format!("{}***@{domain}", first_bytes(name, 3));
    }
    if !looks_secret(source) {
        return source.to_owned();
    }
    if source.len() <= 8 {
        return "m:****".to_owned();
    }
    let end = String::from_utf8_lossy(&source.as_bytes()[source.len() - 4..]);
    format!("m:{}...{end}", first_bytes(source, 4))
}

fn first_bytes(text: &str, count: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[..text.len().min(count)]).into_owned()
}

fn looks_secret(text: &str) -> bool {
    !text.contains([' ', '/', '\\'])
        && (text.starts_with("sk-") || text.starts_with("AIza") || text.len() >= 32)
}

/// The value with the secrets among its fields replaced.
pub(super) fn redacted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let value = if is_secret(&name) {
                    Value::from("[redacted]")
                } else {
                    redacted(value)
                };
                (name, value)
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(redacted).collect()),
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.replace('-', "_").to_lowercase();
    let secret = [
        "api_key",
        "apikey",
        "authorization",
        "access_token",
        "refresh_token",
        "token",
    ];
    secret.contains(&name.as_str()) || name.contains("secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_masked() {
        assert_eq!(masked("someone@example.org"), "som***@example.org");
        assert_eq!(masked("sk-0123456789"), "m:sk-0...6789");
        assert_eq!(masked("plain"), "plain");
    }
}
