//! The statistics that `/v0/management/usage` answers with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::event::{Event, Tokens};

/// All events counted, by endpoint and model.
#[derive(Debug, Default, Serialize)]
pub(super) struct Payload {
    total_requests: u64,
    success_count: u64,
    failure_count: u64,
    total_tokens: i64,
    apis: BTreeMap<String, Endpoint>,
}

#[derive(Debug, Default, Serialize)]
struct Endpoint {
    models: BTreeMap<String, Model>,
}

#[derive(Debug, Default, Serialize)]
struct Model {
    details: Vec<Detail>,
}

#[derive(Debug, Serialize)]
struct Detail {
    timestamp: String,
    source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    auth_index: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<i64>,
    tokens: Tokens,
    failed: bool,
}

impl Payload {
    /// Counts these events, which come newest first.
    pub(super) fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Self {
        let mut payload = Self::default();
        events.for_each(|event| payload.add(event));
        payload
    }

    fn add(&mut self, event: &Event) {
        self.total_requests += 1;
        if event.failed {
            self.failure_count += 1;
        } else {
            self.success_count += 1;
        }
        self.total_tokens = self.total_tokens.saturating_add(event.tokens.total_tokens);
        let endpoint = self.apis.entry(event.endpoint.clone()).or_default();
        let model = endpoint.models.entry(event.model.clone()).or_default();
        model.details.push(Detail {
            timestamp: event.timestamp.clone(),
            source: event.source.clone(),
            auth_index: event.auth_index.clone(),
            latency_ms: event.latency_ms,
            tokens: event.tokens,
            failed: event.failed,
        });
    }
}
