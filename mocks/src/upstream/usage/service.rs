//! The service behind the server: who answers what.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Value, json};

use super::access::carries;
use super::answer::{
    error, json_answer, method_not_allowed, not_configured, not_found, temporary_redirect,
    unauthorized,
};
use super::collector::{Collector, Pace};
use super::configuration::PopSide;
use super::cors::Origins;
use super::event::now_ms;
use super::go_scan::{Scan, first_value, scan};
use super::import::import;
use super::panel::panel;
use super::price_source::{SOURCE, fetch, select};
use super::prices::read_prices;
use super::proxied_head::Credentials;
use super::proxy::forward;
use super::route::{Root, Route, route};
use super::setup::Setup;
use super::store::Store;
use crate::upstream::{After, Exchange, Request, Service};
use crate::wire::http1::Response;

/// What a service is told when it starts.
#[derive(Debug)]
pub(super) struct Settings {
    /// A set-up that beats the saved one.
    pub(super) environment: Option<Setup>,
    pub(super) origins: Origins,
    pub(super) queue: &'static str,
    pub(super) pop_side: PopSide,
    pub(super) query_limit: usize,
    pub(super) price_source: Option<String>,
}

/// The usage service.
#[derive(Debug)]
pub(super) struct UsageServer {
    settings: Settings,
    store: Arc<Store>,
    saved: Mutex<Option<Setup>>,
    collector: Collector,
    started_at: i64,
}

impl UsageServer {
    /// Must be called on a runtime: with a set-up in its environment the collector starts at once.
    pub(super) fn new(settings: Settings, pace: Pace) -> Self {
        let store = Arc::new(Store::default());
        let collector = Collector::new(Arc::clone(&store), pace, settings.queue);
        if let Some(setup) = &settings.environment {
            collector.start(setup.clone());
        }
        Self {
            settings,
            store,
            saved: Mutex::default(),
            collector,
            started_at: now_ms(),
        }
    }

    fn setup(&self) -> Option<Setup> {
        self.settings
            .environment
            .clone()
            .or_else(|| self.saved().clone())
    }

    fn saved(&self) -> MutexGuard<'_, Option<Setup>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the request may see what is behind the key, once there is one.
    fn admits(&self, request: &Request) -> bool {
        self.setup()
            .is_none_or(|setup| carries(request, &setup.management_key))
    }

    async fn answer(&self, part: Part, request: &Request, exchange: &mut Exchange) -> Response {
        let method = request.method();
        match part {
            Part::Health if method == "GET" => {
                json_answer(200, &json!({"ok": true, "service": SERVICE}))
            }
            Part::Info if method == "GET" => json_answer(
                200,
                &json!({"mode": "embedded", "service": SERVICE, "startedAt": self.started_at}),
            ),
            Part::Status if method == "GET" => self.status(request),
            Part::Setup if method == "POST" => self.set_up(request, exchange).await,
            Part::Health | Part::Info | Part::Status | Part::Setup => method_not_allowed(),
            Part::ModelPrices | Part::Usage if !self.admits(request) => unauthorized(),
            Part::ModelPrices => self.model_prices(request, exchange).await,
            Part::Usage => self.usage(request, exchange).await,
        }
    }

    fn status(&self, request: &Request) -> Response {
        if !self.admits(request) {
            return unauthorized();
        }
        let (events, dead_letters) = self.store.counts();
        let mut collector = self.collector.status();
        collector.dead_letters = dead_letters;
        json_answer(
            200,
            &json!({
                "collector": collector,
                "dbPath": DATABASE_PATH,
                "deadLetters": dead_letters,
                "events": events,
                "service": SERVICE,
            }),
        )
    }

    async fn set_up(&self, request: &Request, exchange: &mut Exchange) -> Response {
        let body = match decode(exchange).await {
            Ok(body) => body,
            Err(reason) => return error(400, &reason),
        };
        let setup = match Setup::read(&body, self.settings.queue, self.settings.pop_side) {
            Ok(Some(setup)) => setup,
            Ok(None) => return error(400, "cpaBaseUrl and managementKey are required"),
            Err(reason) => return error(400, &reason),
        };
        let stranger = self.setup().is_some_and(|existing| {
            !carries(request, &existing.management_key)
                && setup.management_key != existing.management_key
        });
        if stranger {
            return error(401, "invalid management key for existing setup");
        }
        if let Err(reason) = setup.validate().await {
            return error(502, &reason);
        }
        let answer = json_answer(
            200,
            &json!({"ok": true, "upstream": setup.base_url.as_str()}),
        );
        *self.saved() = Some(setup.clone());
        self.collector.start(setup);
        answer
    }

    async fn model_prices(&self, request: &Request, exchange: &mut Exchange) -> Response {
        let path = request.path();
        match (path.trim_end_matches('/'), request.method()) {
            (PRICES, "GET") => self.prices(),
            (PRICES, "PUT") => {
                let body = match decode(exchange).await {
                    Ok(body) => body,
                    Err(reason) => return error(400, &reason),
                };
                match read_prices(&body) {
                    Ok(prices) => self.store.replace_prices(prices),
                    Err(reason) => return error(400, &reason),
                }
                self.prices()
            }
            (PRICES_SYNC, "POST") => self.sync(exchange).await.unwrap_or_else(|refusal| refusal),
            _ => method_not_allowed(),
        }
    }

    fn prices(&self) -> Response {
        json_answer(200, &json!({"prices": self.store.prices()}))
    }

    async fn sync(&self, exchange: &mut Exchange) -> Result<Response, Response> {
        let body = match decode(exchange).await {
            Err(reason) if reason == "EOF" => Value::Null,
            body => body.map_err(|reason| error(400, &reason))?,
        };
        let models: Vec<String> = body["models"].as_array().map_or_else(Vec::new, |models| {
            models
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        });
        let source = self
            .settings
            .price_source
            .as_ref()
            .ok_or_else(|| error(502, NO_PRICE_SOURCE))?;
        let fetched = fetch(source).await.map_err(|reason| error(502, &reason))?;
        let selected = select(fetched.prices, &models);
        let imported = selected.len();
        self.store.add_prices(selected);
        let prices = self.store.prices();
        let answer = json!({"imported": imported, "prices": prices, "skipped": fetched.skipped, "source": SOURCE});
        Ok(json_answer(200, &answer))
    }

    async fn usage(&self, request: &Request, exchange: &mut Exchange) -> Response {
        let path = request.path();
        match request.method() {
            "GET" if path.ends_with("/export") => Response::new(200)
                .field("Content-Type", "application/x-ndjson")
                .field(
                    "Content-Disposition",
                    "attachment; filename=\"usage-events.jsonl\"",
                )
                .body(self.store.export()),
            "GET" => json_answer(200, &self.store.payload(self.settings.query_limit)),
            "POST" if path.ends_with("/import") => {
                let imported = match exchange.read_body(BODY_LIMIT).await {
                    Ok(body) => import(&body, &self.store),
                    Err(reason) => Err(reason.to_string()),
                };
                imported.map_or_else(
                    |reason| error(400, &reason),
                    |imported| json_answer(200, &imported),
                )
            }
            _ => method_not_allowed(),
        }
    }
}

/// A part of the service that answers by itself.
#[derive(Clone, Copy)]
enum Part {
    Health,
    Info,
    Status,
    Setup,
    ModelPrices,
    Usage,
}

impl Service for UsageServer {
    async fn serve(&self, request: &Request, exchange: &mut Exchange) -> After {
        let route = route(request);
        let cors = self.settings.origins.fields(request);
        let preflight = request.method() == "OPTIONS";
        let part = match route {
            Route::Asterisk => {
                return exchange
                    .respond(Response::new(400).field("Connection", "close"))
                    .await;
            }
            Route::Unclean(location) => {
                return exchange
                    .respond(temporary_redirect(request.method(), &location))
                    .await;
            }
            Route::Panel => return exchange.respond(panel()).await,
            _ if preflight => return exchange.respond(with(cors, Response::new(204))).await,
            Route::Root(Root::Index) => {
                return exchange
                    .respond(temporary_redirect(request.method(), "/management.html"))
                    .await;
            }
            Route::Root(Root::Unknown) => return exchange.respond(not_found()).await,
            Route::Root(Root::Management) => return self.manage(request, exchange, cors).await,
            Route::Root(Root::ModelList) => return self.list_models(request, exchange, cors).await,
            Route::Health => Part::Health,
            Route::Info => Part::Info,
            Route::Status => Part::Status,
            Route::Setup => Part::Setup,
            Route::Root(Root::ModelPrices) => Part::ModelPrices,
            Route::Root(Root::Usage) => Part::Usage,
        };
        let answer = self.answer(part, request, exchange).await;
        exchange.respond(with(cors, answer)).await
    }
}

impl UsageServer {
    async fn manage(&self, request: &Request, exchange: &mut Exchange, cors: Vec<Field>) -> After {
        match self.setup() {
            None => exchange.respond(with(cors, not_configured())).await,
            Some(setup) if !carries(request, &setup.management_key) => {
                exchange.respond(with(cors, unauthorized())).await
            }
            Some(setup) => forward(&setup, Credentials::Saved, cors, request, exchange).await,
        }
    }

    async fn list_models(
        &self,
        request: &Request,
        exchange: &mut Exchange,
        cors: Vec<Field>,
    ) -> After {
        match self.setup() {
            _ if request.method() != "GET" => {
                exchange.respond(with(cors, method_not_allowed())).await
            }
            None => exchange.respond(with(cors, not_configured())).await,
            Some(setup) => forward(&setup, Credentials::Callers, cors, request, exchange).await,
        }
    }
}

type Field = (Cow<'static, str>, Cow<'static, str>);

/// The answer with these fields before its own.
pub(super) fn with(fields: Vec<Field>, mut answer: Response) -> Response {
    answer.fields.splice(0..0, fields);
    answer
}

/// The first JSON value of the body, read no further than it goes, as Go's `json.Decoder` does.
async fn decode(exchange: &mut Exchange) -> Result<Value, String> {
    let mut body: Vec<u8> = Vec::new();
    loop {
        let piece: Option<Bytes> = exchange
            .read_piece()
            .await
            .map_err(|reason| reason.to_string())?;
        let Some(piece) = piece else { break };
        body.extend_from_slice(&piece);
        match scan(&body) {
            Scan::Whole(_) => break,
            Scan::Broken(reason) => return Err(reason),
            Scan::Partial if body.len() as u64 > BODY_LIMIT => {
                return Err("http: request body too large".to_owned());
            }
            Scan::Partial => {}
        }
    }
    let text = String::from_utf8_lossy(first_value(&body)?).into_owned();
    serde_json::from_str(&text).map_err(|reason| reason.to_string())
}

const SERVICE: &str = "cpa-manager";
const DATABASE_PATH: &str = "/data/usage.sqlite";
const PRICES: &str = "/v0/management/model-prices";
const PRICES_SYNC: &str = "/v0/management/model-prices/sync";
/// What the real program says where it cannot resolve names.
const NO_PRICE_SOURCE: &str = "Get \"https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json\": dial tcp: lookup raw.githubusercontent.com: no such host";
/// The real program has no limit; a mock has one, so that a body without end cannot take all memory.
const BODY_LIMIT: u64 = 128 << 20;
