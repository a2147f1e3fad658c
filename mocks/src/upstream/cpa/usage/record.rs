//! The record that CPA keeps of every request that reached a provider.

use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::upstream::cpa::go_json::go_json;
use crate::upstream::cpa::provider::{Dialect, Usage};

/// Who asked, as a record tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asker {
    /// The TCP peer, whatever any field claims.
    pub(crate) client_ip: String,
    pub(crate) x_forwarded_for: String,
    pub(crate) user_agent: String,
    /// The key that let the request in, in clear.
    pub(crate) api_key: String,
    /// Method and route, such as `POST /v1/responses`.
    pub(crate) endpoint: String,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) asker: Asker,
    pub(crate) at: OffsetDateTime,
    pub(crate) latency: Duration,
    pub(crate) first_token: Duration,
    pub(crate) dialect: Dialect,
    pub(crate) auth_index: String,
    pub(crate) request_id: String,
    pub(crate) model: String,
    /// The model as the client named it.
    pub(crate) alias: String,
    pub(crate) usage: Usage,
    pub(crate) outcome: Outcome,
    /// The fields of the provider's answer, `Content-Length` first; nothing where there was none.
    pub(crate) response_headers: Vec<(&'static str, String)>,
    pub(crate) reasoning_effort: String,
    pub(crate) service_tier: String,
}

/// Whether a request succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The provider answered to the end.
    Succeeded,
    /// It did not; with the status and what the provider said.
    Failed { status: u16, body: String },
}

impl Record {
    /// The record as CPA publishes it.
    pub(crate) fn json(&self) -> String {
        let mut record = Map::new();
        self.describe_request(&mut record);
        record.insert("tokens".to_owned(), tokens(self.usage));
        self.describe_outcome(&mut record);
        record.insert("accounting_version".to_owned(), json!(2));
        record.insert("token_breakdown".to_owned(), breakdown(self.usage));
        self.describe_route(&mut record);
        go_json(&Value::Object(record))
    }

    fn describe_request(&self, record: &mut Map<String, Value>) {
        let timestamp = self.at.format(&Rfc3339).unwrap_or_default();
        extend(
            record,
            json!({
                "timestamp": timestamp,
                "latency_ms": milliseconds(self.latency),
                "ttft_ms": milliseconds(self.first_token),
                "source": PROVIDER_KEY,
                "auth_index": self.auth_index,
                "client_ip": self.asker.client_ip,
                "x_forwarded_for": self.asker.x_forwarded_for,
                "user_agent": self.asker.user_agent,
            }),
        );
    }

    fn describe_outcome(&self, record: &mut Map<String, Value>) {
        let (failed, status, body) = match &self.outcome {
            Outcome::Succeeded => (false, 200, ""),
            Outcome::Failed { status, body } => (true, *status, body.as_str()),
        };
        extend(
            record,
            json!({
                "failed": failed,
                "generate": true,
                "fail": {"status_code": status, "body": body},
            }),
        );
        if !self.response_headers.is_empty() {
            let fields = self.response_headers.iter();
            let fields = fields.map(|(name, value)| ((*name).to_owned(), json!([value])));
            record.insert(
                "response_headers".to_owned(),
                Value::Object(fields.collect()),
            );
        }
    }

    fn describe_route(&self, record: &mut Map<String, Value>) {
        let (provider, executor) = match self.dialect {
            Dialect::OpenAi => ("openai-compatible-mock", "OpenAICompatExecutor"),
            Dialect::Codex => ("codex", "CodexExecutor"),
            Dialect::Claude => ("claude", "ClaudeExecutor"),
        };
        extend(
            record,
            json!({
                "provider": provider,
                "executor_type": executor,
                "model": self.model,
                "alias": self.alias,
                "endpoint": self.asker.endpoint,
                "auth_type": "apikey",
                "api_key": self.asker.api_key,
                "request_id": self.request_id,
                "reasoning_effort": self.reasoning_effort,
                "service_tier": self.service_tier,
            }),
        );
    }
}

fn tokens(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "reasoning_tokens": 0,
        "cached_tokens": 0,
        "cache_read_tokens": 0,
        "cache_read_tokens_present": true,
        "cache_creation_tokens": 0,
        "total_tokens": usage.total(),
    })
}

fn breakdown(usage: Usage) -> Value {
    json!({
        "schema_version": 2,
        "quality": "complete",
        "total_tokens": usage.total(),
        "input": {
            "total_tokens": usage.input,
            "uncached_tokens": usage.input,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
        },
        "output": {
            "total_tokens": usage.output,
            "non_reasoning_tokens": usage.output,
            "reasoning_tokens": 0,
        },
        "unclassified_tokens": 0,
    })
}

fn extend(record: &mut Map<String, Value>, fields: Value) {
    if let Value::Object(fields) = fields {
        record.extend(fields);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The key with which CPA calls its provider; records show it in clear as `source`.
const PROVIDER_KEY: &str = "sk-up";
