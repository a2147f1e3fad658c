//! What a user's configuration holds and no report may show.

use std::borrow::Cow;

use proxyproof_oracle::conf::Directive;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Keys and tokens as they are written in a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The longest first, so that none is left in part.
    values: Vec<String>,
}

impl Secrets {
    /// Keeps what a directive of NGINX's gives away: fields and variables whose names say so, and what has the form of a
    /// credential wherever it stands.
    pub(super) fn look_at(&mut self, above: &[&Directive], directive: &Directive) {
        let arguments = directive.arguments();
        for word in arguments {
            if let Some(value) = credential(&word.text()) {
                self.keep(&value);
            }
        }
        let looks_at = |directive: &Directive| {
            let first = directive.arguments().first();
            first.is_some_and(|word| is_telling(&word.text()))
        };
        // `if ($http_x_api_key != "…")`, and a map from the keys of those who are let in.
        if directive.is("if") && looks_at(directive) {
            for word in &arguments[1..] {
                self.keep(word.text().trim_end_matches(')'));
            }
        }
        let source = above.last().filter(|block| block.is("map"));
        if source.is_some_and(|map| looks_at(map)) {
            let key = String::from_utf8_lossy(directive.name()).into_owned();
            let key = key
                .trim_start_matches(['~', '*', '^'])
                .trim_end_matches('$');
            if !["default", "hostnames", "include", "volatile"].contains(&key) {
                self.keep(key);
            }
        }
        let named = directive.is("proxy_set_header") || directive.is("set");
        if let (true, [name, value, ..]) = (named, arguments)
            && is_telling(&name.text())
        {
            self.keep(&value.text());
        }
    }

    fn keep(&mut self, value: &str) {
        // A variable is no secret; its value is written elsewhere.
        let value = value.trim();
        let value = ["Bearer ", "Basic "]
            .iter()
            .find_map(|scheme| value.strip_prefix(scheme))
            .unwrap_or(value);
        let known = self.values.iter().any(|other| other == value);
        if value.len() >= SHORTEST && !value.contains('$') && !known {
            self.values.push(value.to_owned());
            self.values
                .sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    /// The text with a mark in the place of each secret.
    #[must_use]
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for value in &self.values {
            if masked.contains(value.as_str()) {
                masked = Cow::Owned(masked.replace(value.as_str(), MARK));
            }
        }
        masked
    }

    /// The same for every text of a value, however deep.
    pub(crate) fn masked_within<T: Serialize + DeserializeOwned>(&self, whole: T) -> T {
        if self.values.is_empty() {
            return whole;
        }
        let Ok(mut value) = serde_json::to_value(&whole) else {
            return whole;
        };
        self.mask(&mut value);
        serde_json::from_value(value).unwrap_or(whole)
    }

    fn mask(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.masked(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.mask(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "authorization",
        "cookie",
        "key",
        "token",
        "secret",
        "password",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// What has the form of a credential: a scheme of RFC 9110 section 11 with its token, or a key as AI services issue them.
fn credential(text: &str) -> Option<String> {
    let token = ["Bearer ", "Basic "]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let key = text.starts_with("sk-").then_some(text);
    token.or(key).map(str::to_owned)
}

/// Shorter ones would mask words that mean something else.
const SHORTEST: usize = 6;
const MARK: &str = "[secret]";

#[cfg(test)]
mod tests {
    use proxyproof_oracle::conf::Document;

    use super::*;

    #[test]
    fn keys_and_tokens_are_masked_and_variables_are_not() {
        let text = r#"set $upstream_key "abcdef123"; proxy_set_header Authorization "Bearer sk-live-1";
            proxy_set_header X-Api-Key $upstream_key; proxy_set_header Host "api.example.org";
            map $host $x { default "Basic dXNlcjpwYXNz"; } map $http_x_api_key $ok { ~^key-of-bob$ 1; default 0; }
            if ($http_x_token != "letmein") { return 401; }"#;
        let mut secrets = Secrets::default();
        let document = Document::parse(text.as_bytes()).unwrap();
        document.walk(&mut |above, directive| secrets.look_at(above, directive));
        let masked =
            secrets.masked("abcdef123, sk-live-1, dXNlcjpwYXNz, key-of-bob, letmein, $upstream_key, api.example.org");
        assert_eq!(
            masked,
            "[secret], [secret], [secret], [secret], [secret], $upstream_key, api.example.org"
        );
        let within = secrets.masked_within(vec![("a".to_owned(), "x-abcdef123".to_owned())]);
        assert_eq!(within, [("a".to_owned(), "x-[secret]".to_owned())]);
    }
}
