//! A usage event: one record of CPA, or one line of an import, in the form it is stored, exported and counted in.

use serde::Serialize;
use serde_json::Value;

use super::go_scan::only_value;
use super::record::Record;
use super::redaction::{hashed, masked, redacted};
use crate::upstream::go_json::{as_map, go_json};

/// One request that CPA has served; the fields in the order of an export line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) request_id: String,
    pub(super) event_hash: String,
    pub(super) timestamp_ms: i64,
    pub(super) timestamp: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) provider: String,
    pub(super) model: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) endpoint: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) method: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) auth_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) auth_index: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source_hash: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) api_key_hash: String,
    #[serde(flatten)]
    pub(super) tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<i64>,
    pub(super) failed: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) raw_json: String,
    pub(super) created_at_ms: i64,
}

/// How many tokens of which kind.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those on the wire")]
pub(super) struct Tokens {
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) reasoning_tokens: i64,
    pub(super) cached_tokens: i64,
    pub(super) cache_tokens: i64,
    pub(super) total_tokens: i64,
}

impl Event {
    /// Reads one record or import line.
    ///
    /// # Errors
    /// With Go's reason if it is no JSON object.
    pub(super) fn read(raw: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(only_value(raw)?);
        let value: Value = serde_json::from_str(&text).map_err(|reason| reason.to_string())?;
        let Value::Object(fields) = &value else {
            return Err("usage payload is not a JSON object".to_owned());
        };
        let mut event = Self::of(&Record(fields));
        event.event_hash = event.hash();
        event.raw_json = go_json(&as_map(redacted(value)));
        Ok(event)
    }

    fn of(record: &Record<'_>) -> Self {
        let (timestamp_ms, timestamp) = record.timestamp();
        let (endpoint, method, path) = endpoint(record);
        let source = record.text(&["source", "api_key", "apiKey", "key", "account", "email"]);
        let dash = |text: String| {
            if text.is_empty() {
                "-".to_owned()
            } else {
                text
            }
        };
        Self {
            request_id: record.text(&["request_id", "requestId", "id"]),
            event_hash: String::new(),
            timestamp_ms,
            timestamp,
            provider: record.text(&["provider", "type", "auth_type", "authType"]),
            model: dash(record.text(&["model", "model_name", "modelName"])),
            endpoint: dash(endpoint),
            method,
            path,
            auth_type: record.text(&["auth_type", "authType"]),
            auth_index: record.text(&["auth_index", "authIndex", "AuthIndex"]),
            source_hash: hashed(&source),
            source: masked(&source),
            api_key_hash: hashed(&record.text(&["api_key", "apiKey", "key"])),
            tokens: Tokens::of(record),
            latency_ms: record.optional_integer(&[
                "latency_ms",
                "latencyMs",
                "duration_ms",
                "durationMs",
                "elapsed_ms",
                "elapsedMs",
            ]),
            failed: record.failed(),
            raw_json: String::new(),
            created_at_ms: now_ms(),
        }
    }

    /// What makes two events the same.
    fn hash(&self) -> String {
        let tokens = &self.tokens;
        let mut text = [
            self.request_id.as_str(),
            &self.timestamp,
            &self.endpoint,
            &self.model,
            &self.auth_index,
            &self.source_hash,
        ]
        .join("|");
        let cached = tokens.cached_tokens.max(tokens.cache_tokens);
        for count in [
            tokens.input_tokens,
            tokens.output_tokens,
            tokens.reasoning_tokens,
            cached,
        ] {
            text.push_str(&format!("|{count}"));
        }
        text.push_str(&format!("|{}", self.failed));
        if let Some(latency) = self.latency_ms {
            text.push_str(&format!("|{latency}"));
        }
        hashed(&text)
    }
}

impl Tokens {
    fn of(record: &Record<'_>) -> Self {
        let mut tokens = Self {
            input_tokens: record.tokens(&[
                "input_tokens",
                "inputTokens",
                "prompt_tokens",
                "promptTokens",
            ]),
            output_tokens: record.tokens(&[
                "output_tokens",
                "outputTokens",
                "completion_tokens",
                "completionTokens",
            ]),
            reasoning_tokens: record.tokens(&["reasoning_tokens", "reasoningTokens"]),
            cached_tokens: record.tokens(&["cached_tokens", "cachedTokens"]),
            cache_tokens: record.tokens(&["cache_tokens", "cacheTokens"]),
            total_tokens: record.tokens(&["total_tokens", "totalTokens", "total"]),
        };
        if tokens.total_tokens <= 0 {
            let cached = tokens.cached_tokens.max(tokens.cache_tokens);
            let parts = [tokens.output_tokens, tokens.reasoning_tokens, cached];
            tokens.total_tokens = parts
                .into_iter()
                .fold(tokens.input_tokens, i64::saturating_add);
        }
        tokens
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let nanos = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).unwrap_or_default()
}

/// Endpoint, method and path, each made from the others where it is missing.
fn endpoint(record: &Record<'_>) -> (String, String, String) {
    let mut method = record
        .text(&["method", "http_method", "httpMethod"])
        .to_uppercase();
    let mut path = record.text(&["path", "url_path", "urlPath", "route"]);
    let mut endpoint = record.text(&["endpoint", "api", "request", "operation"]);
    if endpoint.is_empty() && !method.is_empty() && !path.is_empty() {
        endpoint = format!("{method} {path}");
    }
    let mut words = endpoint.split_ascii_whitespace();
    if let (Some(first), Some(second)) = (words.next(), words.next())
        && METHODS.contains(&first)
        && endpoint.starts_with(first)
    {
        if method.is_empty() {
            first.clone_into(&mut method);
        }
        if path.is_empty() {
            second.clone_into(&mut path);
        }
    }
    (endpoint, method, path)
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_record() {
        let record = br#"{"request_id":"f6f1a9e4","timestamp":"2026-11-23T16:02:33.021117781Z","endpoint":"POST /v1/x",
            "model":"m-fast","source":"sk-up","api_key":"test-key","auth_index":"c4","failed":false,"latency_ms":9,
            "tokens":{"input_tokens":9,"output_tokens":3,"total_tokens":12}}"#;
        let event = Event::read(record).unwrap();
        assert_eq!(
            (event.method.as_str(), event.path.as_str()),
            ("POST", "/v1/x")
        );
        assert_eq!(event.timestamp_ms, 1_795_449_753_021);
        assert_eq!(event.source, "m:****");
        assert_eq!(
            event.source_hash,
            "409a26ddc38893b63299d760371020db5038d0b668e41117343c4dd32113db61"
        );
        assert_eq!(
            event.api_key_hash,
            "62af8704764faf8ea82fc61ce9c4c3908b6cb97d463a634e9e587d7c885db0ef"
        );
        assert!(
            event
                .raw_json
                .starts_with(r#"{"api_key":"[redacted]","auth_index":"c4","endpoint""#)
        );
        assert_eq!(event.tokens.total_tokens, 12);
    }

    #[test]
    fn the_hash_is_the_recorded_one() {
        let record = br#"{"request_id":"f6f1a9e4","timestamp":"2026-11-23T16:02:33.021117781Z","model":"m-fast",
            "endpoint":"POST /v1/chat/completions","auth_index":"c43ea47cf249a078","source":"sk-up","latency_ms":9,
            "failed":false,"tokens":{"input_tokens":9,"output_tokens":3}}"#;
        let hash = "338ea380b279a1a5ef28e7e72c08ad490a3110547f7d61e124432e9d59e0dabe";
        assert_eq!(Event::read(record).unwrap().event_hash, hash);
    }

    #[test]
    fn what_is_no_record() {
        assert_eq!(
            Event::read(b"[1]").unwrap_err(),
            "usage payload is not a JSON object"
        );
        assert_eq!(
            Event::read(b"").unwrap_err(),
            "unexpected end of JSON input"
        );
    }
}
