//! Routes that read a JSON body and ask a provider.

use bytes::Bytes;
use serde_json::json;

use super::answer::{empty, event_stream, gin_json, raw_json};
use super::asked::{Asked, BODY_LIMIT, Decoding, Syntax, Unreadable, decode};
use super::capture::Captured;
use super::execution::{Call, execute};
use super::model_list::undisguised;
use super::plan::{ClientApi, Mode};
use super::realtime;
use super::refusal::{Shape, invalid_request, unknown_model};
use super::route::Endpoint;
use super::token_estimate::estimated_tokens;
use super::visit::Visit;
use crate::upstream::{After, Exchange, Request};
use crate::wire::http1::Response;

impl Visit<'_> {
    /// Routes that read a JSON body and ask a provider.
    pub(crate) async fn ask(&self, captured: Captured, exchange: &mut Exchange) -> After {
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
        drop(body);
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

    async fn converse(&self, mut asked: Asked, exchange: &mut Exchange) -> After {
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
        &self,
        api: ClientApi,
        mode: Mode,
        stream_head: Response,
        asked: Asked,
        exchange: &mut Exchange,
    ) -> After {
        let call = Call {
            state: self.state,
            asker: &self.asker(),
            api,
            mode,
            stream_head,
            codex_client: is_codex_client(self.request),
        };
        execute(call, asked, exchange).await
    }

    async fn count_tokens(&self, asked: Asked, exchange: &mut Exchange) -> After {
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
                self.execute(
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
                self.execute(api, Mode::Streamed, head, asked, exchange)
                    .await
            }
            "countTokens" => self.gemini_count(&asked, exchange).await,
            _ => exchange.respond(empty(200)).await,
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
    let message = match asked.syntax == Syntax::Broken {
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
        _ if asked.syntax == Syntax::Broken => "invalid JSON body",
        (Some(_), Some(_)) | (None, None) => "request requires exactly one of model or agent",
        _ if stream.is_some_and(|stream| !stream.is_boolean()) => "stream must be a boolean",
        _ => return raw_json(400, unknown_model(Shape::OpenAi, &asked.model)),
    };
    gin_json(400, invalid_request(message))
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

const IMAGE_MODELS: &str = "gpt-image-1.5, gpt-image-2, grok-imagine-image, \
     grok-imagine-image-quality, grok-imagine-image-2.0, or a configured openai-compatibility \
     image model";

const CODEX_CLIENTS: [&str; 3] = ["codex_cli_rs", "codex-tui", "Codex Desktop"];
