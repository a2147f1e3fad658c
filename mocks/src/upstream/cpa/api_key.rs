//! Authentication of the AI routes by API key.

use serde_json::{Value, json};

use super::go_json::go_json;

/// The five places of a request where CPA looks for a key, each as it was sent.
#[derive(Debug, Default)]
pub(crate) struct Presented {
    pub(crate) authorization: Option<String>,
    pub(crate) x_goog_api_key: Option<String>,
    pub(crate) x_api_key: Option<String>,
    pub(crate) query_key: Option<String>,
    pub(crate) query_auth_token: Option<String>,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRefusal {
    /// None of the five places holds anything.
    Missing,
    /// Something was sent, and none of it is a key.
    Invalid,
}

impl Presented {
    /// The key that let the request in (empty where no key is configured), by any of the five places: a wrong one does
    /// not block a right one.
    pub(crate) fn admit(&self, keys: &[String]) -> Result<String, KeyRefusal> {
        if keys.is_empty() {
            return Ok(String::new());
        }
        let sent: Vec<&str> = self.candidates().filter(|key| !key.is_empty()).collect();
        if sent.is_empty() {
            return Err(KeyRefusal::Missing);
        }
        sent.into_iter()
            .find(|key| keys.iter().any(|known| known == key))
            .map(str::to_owned)
            .ok_or(KeyRefusal::Invalid)
    }

    fn candidates(&self) -> impl Iterator<Item = &str> {
        [
            self.authorization.as_deref().map(without_bearer),
            self.x_goog_api_key.as_deref(),
            self.x_api_key.as_deref(),
            self.query_key.as_deref(),
            self.query_auth_token.as_deref(),
        ]
        .into_iter()
        .flatten()
    }
}

impl KeyRefusal {
    /// The body of the 401: `error` is a string, unlike OpenAI's; on `/v1/realtime*` it has OpenAI's shape.
    pub(crate) fn body(self, path: &str) -> String {
        let message = match self {
            Self::Missing => "Missing API key",
            Self::Invalid => "Invalid API key",
        };
        go_json(&Self::value(message, path))
    }

    fn value(message: &str, path: &str) -> Value {
        if path.starts_with("/v1/realtime") {
            return json!({"error": {
                "code": "invalid_api_key",
                "message": message,
                "param": null,
                "type": "authentication_error",
            }});
        }
        json!({"error": message})
    }
}

/// The value after `Bearer`, whatever its case; without that word the whole value is the key.
pub(crate) fn without_bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => value,
    }
}

/// Whether the keys still hold one of the template's (safe mode).
pub(crate) fn has_example_key(keys: &[String]) -> bool {
    keys.iter().any(|key| {
        matches!(
            key.trim(),
            "your-api-key-1" | "your-api-key-2" | "your-api-key-3"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<String> {
        vec!["test-key".to_owned()]
    }

    #[test]
    fn a_wrong_key_does_not_block_a_right_one() {
        let presented = Presented {
            authorization: Some("Basic dXNlcjpwYXNz".to_owned()),
            query_key: Some("test-key".to_owned()),
            ..Presented::default()
        };
        assert_eq!(presented.admit(&keys()).as_deref(), Ok("test-key"));
    }

    #[test]
    fn bearer_is_optional_and_of_any_case() {
        for value in ["test-key", "bearer test-key", "BEARER test-key"] {
            let presented = Presented {
                authorization: Some(value.to_owned()),
                ..Presented::default()
            };
            assert_eq!(presented.admit(&keys()).as_deref(), Ok("test-key"));
        }
    }

    #[test]
    fn refusals_tell_missing_from_invalid() {
        assert_eq!(
            Presented::default().admit(&keys()),
            Err(KeyRefusal::Missing)
        );
        let presented = Presented {
            x_api_key: Some("nope".to_owned()),
            ..Presented::default()
        };
        assert_eq!(presented.admit(&keys()), Err(KeyRefusal::Invalid));
        assert_eq!(
            KeyRefusal::Invalid.body("/v1/models"),
            r#"{"error":"Invalid API key"}"#
        );
    }

    #[test]
    fn no_configured_key_lets_everyone_in() {
        assert_eq!(Presented::default().admit(&[]).as_deref(), Ok(""));
    }
}
