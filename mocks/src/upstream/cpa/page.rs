//! Answers that need no body of the request.

use serde_json::{Value, json};

use super::answer::{empty, gin_json};
use super::go_json::go_json;
use super::model_list::{anthropic_list, codex_list, gemini_list, gemini_model_entry, openai_list};
use super::realtime;
use super::route::Endpoint;
use super::visit::Visit;
use crate::wire::http1::Response;

impl Visit<'_> {
    /// Answers that need no body.
    pub(crate) fn page(&self) -> Response {
        match self.endpoint {
            Endpoint::Healthz if self.request.method() == "HEAD" => empty(200),
            Endpoint::Healthz => gin_json(200, HEALTHY),
            Endpoint::Root => gin_json(200, ROOT),
            Endpoint::OAuthCallback => empty(200)
                .field("Content-Type", "text/html; charset=utf-8")
                .body(CALLBACK_PAGE),
            Endpoint::Realtime => realtime::answer(self.request, self.pattern, self.parameter),
            Endpoint::ManagementCallback => self.management_callback(),
            Endpoint::Models => gin_json(200, go_json(&self.models())),
            Endpoint::GeminiModels => gin_json(
                200,
                go_json(&gemini_list(&self.state.configuration.catalogue)),
            ),
            Endpoint::GeminiModel => self.gemini_model(),
            _ => empty(404),
        }
    }

    fn models(&self) -> Value {
        let catalogue = &self.state.configuration.catalogue;
        let created = self.state.started;
        let user_agent = self.request.first("User-Agent").unwrap_or_default();
        if self.request.first("Anthropic-Version").is_some() || user_agent.starts_with("claude-cli")
        {
            return anthropic_list(catalogue, created);
        }
        if self.request.query_value("client_version").is_some() {
            return codex_list(catalogue);
        }
        openai_list(catalogue, created)
    }

    /// No session is ever waiting for a callback here.
    fn management_callback(&self) -> Response {
        let (status, error) = match self.request.query_value("state") {
            _ if self.request.method() == "POST" => (400, "invalid body"),
            None => (400, "state is required"),
            Some(state) if state.is_empty() => (400, "state is required"),
            Some(_) => (404, "unknown or expired state"),
        };
        gin_json(status, go_json(&json!({"error": error, "status": "error"})))
    }

    fn gemini_model(&self) -> Response {
        let id = self.parameter.trim_start_matches('/');
        let id = id.strip_prefix("models/").unwrap_or(id);
        let catalogue = &self.state.configuration.catalogue;
        match catalogue.find(id).filter(|model| model.listed) {
            Some(model) => gin_json(200, go_json(&gemini_model_entry(model))),
            None => gin_json(
                404,
                go_json(&json!({"error": {"message": "Not Found", "type": "not_found"}})),
            ),
        }
    }
}

const HEALTHY: &str = r#"{"status":"ok"}"#;

const ROOT: &str = concat!(
    r#"{"endpoints":["POST /v1/chat/completions","POST /v1/completions","GET /v1/models"],"#,
    r#""message":"CLI Proxy API Server"}"#
);

const CALLBACK_PAGE: &str = concat!(
    r#"<html><head><meta charset="utf-8"><title>Authentication successful</title>"#,
    "<script>setTimeout(function(){window.close();},5000);</script></head><body>",
    "<h1>Authentication successful!</h1><p>You can close this window.</p>",
    "<p>This window will close automatically in 5 seconds.</p></body></html>"
);
