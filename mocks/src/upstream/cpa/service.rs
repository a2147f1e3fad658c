//! CPA behind the server: routing, middleware, and who answers what.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::answer::{
    empty, event_stream, gin_json, json_answer, management_empty, raw_json, slash_redirect,
};
use super::api_key::{KeyRefusal, Presented, has_example_key};
use super::asked::{Asked, BODY_LIMIT, Decoding, Unreadable, decode};
use super::client_address::client_address;
use super::configuration::Configuration;
use super::execution::{Call, execute};
use super::go_json::go_json;
use super::management::{call as manage, presented_key};
use super::model_list::{
    anthropic_list, codex_list, gemini_list, gemini_model_entry, openai_list, undisguised,
};
use super::plan::{ClientApi, Mode};
use super::realtime;
use super::refusal::{Shape, invalid_request, unknown_model};
use super::resp::serve_resp;
use super::route::{Endpoint, Guard, ManagementCall, Routed, route};
use super::socket::{serve_relay_socket, serve_responses_socket};
use super::state::State;
use super::token_estimate::estimated_tokens;
use super::usage::Asker;
use crate::ledger::Framing;
use crate::upstream::{After, Exchange, Request, RespConnection, Service};
use crate::wire::http1::Response;

/// The CPA service.
#[derive(Debug)]
pub(crate) struct CpaService {
    state: Arc<State>,
}

/// A request on its way: the body that the log middleware captured, if it did.
#[derive(Debug)]
pub(crate) struct Captured {
    body: Option<Bytes>,
}

impl CpaService {
    pub(crate) fn new(configuration: Configuration) -> Self {
        Self {
            state: Arc::new(State::new(configuration)),
        }
    }
}

impl Service for CpaService {
    async fn serve(&self, request: &Request, exchange: &mut Exchange) -> After {
        serve(&self.state, request, exchange).await
    }

    async fn resp(&self, connection: RespConnection) {
        serve_resp(&self.state, connection).await;
    }
}

async fn serve(state: &State, request: &Request, exchange: &mut Exchange) -> After {
    let path = request.path();
    let routed = route(request.method(), &path, state.manages());
    if let Routed::Redirect { path } = &routed {
        let location = redirect_location(request, path);
        return exchange
            .respond(slash_redirect(request.method(), &location))
            .await;
    }
    let captured = capture(request, &path, exchange).await;
    if request.method() == "OPTIONS" {
        return exchange.respond(empty(204)).await;
    }
    if let Some(refusal) = safe_mode(state, request, &path) {
        return exchange.respond(refusal).await;
    }
    let Routed::Found {
        endpoint,
        parameter,
        pattern,
    } = routed
    else {
        return exchange.respond(nowhere(state, request, &path)).await;
    };
    let key = match admitted(state, request, endpoint, &path) {
        Ok(key) => key,
        Err(refusal) => return exchange.respond(*refusal).await,
    };
    let asker = asker(request, key, pattern, &path);
    let visit = Visit {
        state,
        request,
        endpoint,
        parameter: &parameter,
        pattern,
        asker,
    };
    visit.answer(captured, exchange).await
}

/// One admitted request.
struct Visit<'a> {
    state: &'a State,
    request: &'a Request,
    endpoint: Endpoint,
    parameter: &'a str,
    pattern: &'static str,
    asker: Asker,
}

impl Visit<'_> {
    async fn answer(self, captured: Captured, exchange: &mut Exchange) -> After {
        match self.endpoint {
            Endpoint::ResponsesSocket => {
                serve_responses_socket(self.state, self.request, &self.asker, exchange).await
            }
            Endpoint::RelaySocket => serve_relay_socket(self.state, self.request, exchange).await,
            Endpoint::Management(call) => self.managed(call, captured, exchange).await,
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Messages
            | Endpoint::CountTokens
            | Endpoint::Responses
            | Endpoint::Compact
            | Endpoint::GeminiAction
            | Endpoint::Images
            | Endpoint::Interactions
            | Endpoint::Unprovided => self.asked(captured, exchange).await,
            _ => exchange.respond(self.page()).await,
        }
    }

    /// Answers that need no body.
    fn page(&self) -> Response {
        match self.endpoint {
            Endpoint::Healthz if self.request.method() == "HEAD" => empty(200),
            Endpoint::Healthz => gin_json(200, HEALTHY.to_owned()),
            Endpoint::Root => gin_json(200, ROOT.to_owned()),
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

    fn models(&self) -> serde_json::Value {
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

    async fn managed(
        self,
        call: ManagementCall,
        captured: Captured,
        exchange: &mut Exchange,
    ) -> After {
        let body = match captured.body {
            Some(body) => body,
            None if self.request.method() == "GET" => Bytes::new(),
            // An unreadable body is an invalid one, as an empty one is.
            None => exchange.read_body(BODY_LIMIT).await.unwrap_or_default(),
        };
        let answer = manage(self.state, call, self.pattern, self.request, &body);
        exchange.respond(answer).await
    }

    /// Routes that read a JSON body and ask a provider.
    async fn asked(self, captured: Captured, exchange: &mut Exchange) -> After {
        if self.endpoint == Endpoint::GeminiAction && self.gemini_action().is_none() {
            let message = format!("{} not found.", self.request.path());
            return exchange
                .respond(gin_json(404, invalid_request(&message)))
                .await;
        }
        let body = match self.body(captured, exchange).await {
            Ok(body) => body,
            Err(unreadable) => {
                let message = format!("Invalid request: {unreadable}");
                return exchange
                    .respond(gin_json(400, invalid_request(&message)))
                    .await;
            }
        };
        let mut asked = Asked::parse(&body);
        match self.endpoint {
            Endpoint::Images => exchange.respond(no_images(&asked)).await,
            Endpoint::Interactions => exchange.respond(no_interaction(&asked)).await,
            Endpoint::Unprovided => exchange.respond(realtime::unprovided()).await,
            Endpoint::Compact if asked.streams() => {
                let body = invalid_request("Streaming not supported for compact responses");
                exchange.respond(gin_json(400, body)).await
            }
            Endpoint::GeminiAction => {
                let (model, method) = self.gemini_action().unwrap_or_default();
                model.clone_into(&mut asked.model);
                self.gemini(method, asked, exchange).await
            }
            _ => self.converse(asked, exchange).await,
        }
    }

    async fn body(&self, captured: Captured, exchange: &mut Exchange) -> Result<Bytes, Unreadable> {
        let body = match captured.body {
            Some(body) => body,
            None => exchange.read_body(BODY_LIMIT).await?,
        };
        match self.decoding() {
            Decoding::AsSent => Ok(body),
            Decoding::Zstd => {
                let encoding = self.request.first("Content-Encoding").unwrap_or_default();
                decode(body, &encoding)
            }
        }
    }

    const fn decoding(&self) -> Decoding {
        match self.endpoint {
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Responses
            | Endpoint::Compact => Decoding::Zstd,
            _ => Decoding::AsSent,
        }
    }

    async fn converse(self, mut asked: Asked, exchange: &mut Exchange) -> After {
        let (api, mode) = match self.endpoint {
            Endpoint::Messages => {
                asked.model = undisguised(&asked.model);
                (ClientApi::Messages, mode(asked.streams_leniently()))
            }
            Endpoint::CountTokens => return self.count_tokens(asked, exchange).await,
            Endpoint::Completions => (ClientApi::Completions, mode(asked.streams())),
            Endpoint::Responses => (ClientApi::Responses, mode(asked.streams())),
            Endpoint::Compact => (ClientApi::Compact, Mode::Whole),
            _ => (ClientApi::Chat, mode(asked.streams())),
        };
        self.execute(api, mode, event_stream(), asked, exchange)
            .await
    }

    async fn execute(
        self,
        api: ClientApi,
        mode: Mode,
        stream_head: Response,
        asked: Asked,
        exchange: &mut Exchange,
    ) -> After {
        let call = Call {
            state: self.state,
            asker: self.asker,
            api,
            mode,
            stream_head,
            codex_client: is_codex_client(self.request),
        };
        execute(call, asked, exchange).await
    }

    async fn count_tokens(self, asked: Asked, exchange: &mut Exchange) -> After {
        let model = undisguised(&asked.model);
        let Some(model) = self.state.configuration.catalogue.find(&model) else {
            let body = unknown_model(Shape::Claude, &model);
            return exchange.respond(raw_json(400, body)).await;
        };
        let body = json!({"input_tokens": estimated_tokens(&asked.json)}).to_string();
        let trace = self.state.trace_id(model.dialect).1;
        exchange
            .respond(raw_json(200, body).field("X-Cpa-Trace-Id", trace))
            .await
    }

    /// The model and the method of `/model:method`.
    fn gemini_action(&self) -> Option<(&str, &str)> {
        let action = self.parameter.trim_start_matches('/');
        let (model, method) = action.split_once(':')?;
        (!method.contains(':')).then_some((model, method))
    }

    async fn gemini(&self, method: &str, asked: Asked, exchange: &mut Exchange) -> After {
        let alt = ["alt", "$alt"]
            .into_iter()
            .find_map(|name| self.request.query_value(name))
            .filter(|alt| !alt.is_empty() && alt != "sse");
        match method {
            "generateContent" => {
                self.reborn()
                    .execute(
                        ClientApi::Gemini,
                        Mode::Whole,
                        event_stream(),
                        asked,
                        exchange,
                    )
                    .await
            }
            "streamGenerateContent" => {
                let (api, head) = match alt {
                    None => (ClientApi::Gemini, event_stream()),
                    Some(_) => (ClientApi::GeminiRaw, empty(200)),
                };
                self.reborn()
                    .execute(api, Mode::Streamed, head, asked, exchange)
                    .await
            }
            "countTokens" => self.gemini_count(&asked, exchange).await,
            _ => exchange.respond(empty(200)).await,
        }
    }

    fn reborn(&self) -> Self {
        Self {
            asker: self.asker.clone(),
            ..*self
        }
    }

    async fn gemini_count(&self, asked: &Asked, exchange: &mut Exchange) -> After {
        let Some(model) = self.state.configuration.catalogue.find(&asked.model) else {
            let body = unknown_model(Shape::OpenAi, &asked.model);
            return exchange.respond(raw_json(400, body)).await;
        };
        let tokens = estimated_tokens(&asked.json);
        let details = json!([{"modality": "TEXT", "tokenCount": tokens}]);
        let body = json!({"totalTokens": tokens, "promptTokensDetails": details}).to_string();
        let trace = self.state.trace_id(model.dialect).1;
        exchange
            .respond(raw_json(200, body).field("X-Cpa-Trace-Id", trace))
            .await
    }
}

/// None of the models makes images.
fn no_images(asked: &Asked) -> Response {
    let message = match asked.json.is_null() {
        true => "Invalid request: body must be valid JSON".to_owned(),
        false => format!(
            "Model {} is not supported on /v1/images/generations or /v1/images/edits. Use {IMAGE_MODELS}.",
            asked.model
        ),
    };
    gin_json(400, invalid_request(&message))
}

/// None of the models has an interactions provider.
fn no_interaction(asked: &Asked) -> Response {
    let stream = asked.json.get("stream");
    let message = match (asked.json.get("model"), asked.json.get("agent")) {
        _ if !asked.json.is_object() => "invalid JSON body",
        (Some(_), Some(_)) | (None, None) => "request requires exactly one of model or agent",
        _ if stream.is_some_and(|stream| !stream.is_boolean()) => "stream must be a boolean",
        _ => return raw_json(400, unknown_model(Shape::OpenAi, &asked.model)),
    };
    gin_json(400, invalid_request(message))
}

/// The log middleware reads small bodies of known length before anyone is authenticated: a client that waits for
/// `100 Continue` gets it even before a 401.
async fn capture(request: &Request, path: &str, exchange: &mut Exchange) -> Captured {
    let nothing = Captured { body: None };
    let logged = request.method() != "GET"
        && !path.starts_with("/v0/management")
        && !path.starts_with("/management")
        && (!path.starts_with("/api") || path.starts_with("/api/provider"));
    let content_type = request.first("Content-Type").unwrap_or_default();
    let multipart = content_type
        .trim()
        .to_ascii_lowercase()
        .starts_with("multipart/form-data");
    let length = match request.framing() {
        Framing::Length(length) => length,
        Framing::None | Framing::Chunked => 0,
    };
    if !logged || multipart || !(1..=CAPTURED).contains(&length) {
        return nothing;
    }
    match exchange.read_body(CAPTURED).await {
        Ok(body) => Captured { body: Some(body) },
        Err(_) => nothing,
    }
}

fn safe_mode(state: &State, request: &Request, path: &str) -> Option<Response> {
    if !has_example_key(&state.api_keys()) {
        return None;
    }
    let ai = ["/v1", "/v1beta", "/openai/v1", "/backend-api/codex"]
        .into_iter()
        .any(|prefix| path == prefix || path.starts_with(&format!("{prefix}/")));
    if ai {
        let answer = gin_json(403, EXAMPLE_KEY.to_owned());
        return Some(answer.field("X-Cpa-Safe-Mode", "example-api-key"));
    }
    let configuring = request.query_value("safe-mode").as_deref() == Some("configure");
    let warned = match path {
        "/" => true,
        "/management.html" => !configuring,
        _ => false,
    };
    let page = empty(200)
        .field("Cache-Control", "no-store")
        .field("Content-Type", "text/html; charset=utf-8");
    match request.method() {
        "GET" if warned => Some(page.body(WARNING_PAGE)),
        "HEAD" if warned => Some(page),
        _ => None,
    }
}

/// The answer where there is no route: under management's path only after authentication.
fn nowhere(state: &State, request: &Request, path: &str) -> Response {
    let under_management = path == "/v0/management" || path.starts_with("/v0/management/");
    if !under_management || !state.manages() {
        return empty(404);
    }
    match admit_management(state, request) {
        Ok(()) => management_empty(404),
        Err(refusal) => refusal,
    }
}

/// The API key that let the request in (empty where none is asked for).
fn admitted(
    state: &State,
    request: &Request,
    endpoint: Endpoint,
    path: &str,
) -> Result<String, Box<Response>> {
    match endpoint.guard() {
        Guard::Open => Ok(String::new()),
        Guard::ApiKey => presented(request)
            .admit(&state.api_keys())
            .map_err(|refusal: KeyRefusal| Box::new(gin_json(401, refusal.body(path)))),
        Guard::Management => admit_management(state, request)
            .map(|()| String::new())
            .map_err(Box::new),
    }
}

fn admit_management(state: &State, request: &Request) -> Result<(), Response> {
    let forwarded_for = request.first("X-Forwarded-For");
    let real_ip = request.first("X-Real-IP");
    let address = client_address(forwarded_for.as_deref(), real_ip.as_deref(), request.peer());
    let authorization = request.first("Authorization");
    let other = request.first("X-Management-Key");
    let key = presented_key(authorization.as_deref(), other.as_deref());
    state
        .admit_management(address, key)
        .map_err(|refusal| json_answer(refusal.status(), refusal.body()))
}

fn presented(request: &Request) -> Presented {
    let field = |name: &str| request.first(name).map(|value| value.into_owned());
    Presented {
        authorization: field("Authorization"),
        x_goog_api_key: field("X-Goog-Api-Key"),
        x_api_key: field("X-Api-Key"),
        query_key: request.query_value("key"),
        query_auth_token: request.query_value("auth_token"),
    }
}

fn asker(request: &Request, api_key: String, pattern: &str, path: &str) -> Asker {
    let field = |name: &str| request.first(name).unwrap_or_default().into_owned();
    // A route with a parameter is recorded as it was asked for.
    let route = if pattern.contains(['*', ':']) {
        path
    } else {
        pattern
    };
    Asker {
        client_ip: request.peer().ip().to_canonical().to_string(),
        x_forwarded_for: request.all("X-Forwarded-For").join(", "),
        user_agent: field("User-Agent"),
        api_key,
        endpoint: format!("{} {route}", request.method()),
    }
}

/// Where a redirect of a trailing slash leads: path and query only, or all of an absolute-form target.
fn redirect_location(request: &Request, path: &str) -> String {
    let prefix = request.first("X-Forwarded-Prefix").unwrap_or_default();
    let prefix = cleaned_prefix(&prefix);
    let query = request.query();
    let mut location = format!("{prefix}{}", escaped_path(path));
    if !query.is_empty() {
        location.push('?');
        location.push_str(&query);
    }
    location
}

/// gin keeps letters, digits, `/` and `-` of `X-Forwarded-Prefix`, and single slashes.
fn cleaned_prefix(prefix: &str) -> String {
    let mut cleaned = String::new();
    for character in prefix.chars() {
        let kept = character.is_ascii_alphanumeric() || matches!(character, '/' | '-');
        if kept && !(character == '/' && cleaned.ends_with('/')) {
            cleaned.push(character);
        }
    }
    let cleaned = cleaned.trim_end_matches('/').to_owned();
    match cleaned.is_empty() || cleaned.starts_with('/') {
        true => cleaned,
        false => format!("/{cleaned}"),
    }
}

/// Go's escaping of a decoded path.
fn escaped_path(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => escaped.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'='
            | b'@' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

/// Clients of Codex are told of a broken stream by `response.failed`.
fn is_codex_client(request: &Request) -> bool {
    ["User-Agent", "Originator"].into_iter().any(|name| {
        let value = request.first(name).unwrap_or_default();
        CODEX_CLIENTS.iter().any(|client| value.starts_with(client))
    })
}

const fn mode(streams: bool) -> Mode {
    if streams { Mode::Streamed } else { Mode::Whole }
}

const HEALTHY: &str = r#"{"status":"ok"}"#;

const ROOT: &str = concat!(
    r#"{"endpoints":["POST /v1/chat/completions","POST /v1/completions","GET /v1/models"],"#,
    r#""message":"CLI Proxy API Server"}"#
);

const EXAMPLE_KEY: &str = concat!(
    r#"{"error":"unsafe_example_api_key","message":"Proxy API endpoints are disabled because "#,
    r#"api-keys contains template values. Open /management.html?safe-mode=configure, update "#,
    r#"api-keys in Management, then retry."}"#
);

const WARNING_PAGE: &str = "<!doctype html><title>Unsafe API keys</title>\
     <p>api-keys contains template values. Update them, then retry.</p>\n";

const CALLBACK_PAGE: &str = concat!(
    r#"<html><head><meta charset="utf-8"><title>Authentication successful</title>"#,
    "<script>setTimeout(function(){window.close();},5000);</script></head><body>",
    "<h1>Authentication successful!</h1><p>You can close this window.</p>",
    "<p>This window will close automatically in 5 seconds.</p></body></html>"
);

const IMAGE_MODELS: &str = "gpt-image-1.5, gpt-image-2, grok-imagine-image, \
     grok-imagine-image-quality, grok-imagine-image-2.0, or a configured openai-compatibility \
     image model";

const CODEX_CLIENTS: [&str; 3] = ["codex_cli_rs", "codex-tui", "Codex Desktop"];

/// The largest body that the log middleware captures, in bytes.
const CAPTURED: u64 = 1 << 20;
