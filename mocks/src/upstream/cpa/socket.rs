//! WebSockets: the Responses API, one request after the other, and the AI-Studio relay.

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::{Duration, Instant};

use super::answer::bad_handshake;
use super::asked::Asked;
use super::execution::Journal;
use super::plan::{ClientApi, Mode, Plan, plan};
use super::refusal::unknown_model;
use super::state::State;
use super::usage::Asker;
use crate::upstream::{After, Exchange, Message, Request, WebSocket};
use crate::wire::http1::Response;
use crate::wire::websocket::{Frame, accept_key};

/// Serves `/v1/responses` over a WebSocket.
pub(crate) async fn serve_responses_socket(
    state: &State,
    request: &Request,
    asker: &Asker,
    exchange: &mut Exchange,
) -> After {
    let Some(mut accepted) = handshake(request) else {
        return exchange.respond(bad_handshake()).await;
    };
    if exchange.buffered() > 0 {
        return After::Close;
    }
    if let Some(turn_state) = request
        .first("X-Codex-Turn-State")
        .filter(|value| !value.is_empty())
    {
        accepted = accepted.field("X-Codex-Turn-State", turn_state.into_owned());
    }
    let Ok(socket) = exchange.upgrade(accepted).await else {
        return After::Close;
    };
    Session {
        state,
        asker,
        socket,
        last: None,
        prewarmed: None,
    }
    .run()
    .await;
    After::Close
}

/// Accepts the AI-Studio relay's socket, and says nothing to it but a `ping` every half minute.
pub(crate) async fn serve_relay_socket(
    _state: &State,
    request: &Request,
    exchange: &mut Exchange,
) -> After {
    let Some(accepted) = handshake(request) else {
        return exchange.respond(bad_handshake()).await;
    };
    if exchange.buffered() > 0 {
        return After::Close;
    }
    let Ok(mut socket) = exchange.upgrade(accepted).await else {
        return After::Close;
    };
    let mut silent_since = Instant::now();
    loop {
        let ping_at = Instant::now() + RELAY_PING;
        tokio::select! {
            message = socket.next() => {
                if message.is_err() {
                    return After::Close;
                }
                silent_since = Instant::now();
            }
            () = tokio::time::sleep_until(ping_at) => {
                let ping = socket.write(&Frame::text(r#"{"type":"ping"}"#)).await;
                if ping.is_err() || silent_since.elapsed() > RELAY_SILENCE {
                    return After::Close;
                }
            }
        }
    }
}

/// The `101` for a right handshake, by gorilla/websocket 1.5.3: no subprotocol, no extension, any origin, any version
/// of HTTP.
fn handshake(request: &Request) -> Option<Response> {
    let key = request.websocket_key()?;
    let accepted = Response::new(101)
        .field("Upgrade", "websocket")
        .field("Connection", "Upgrade")
        .field("Sec-WebSocket-Accept", accept_key(&key))
        .as_given();
    Some(accepted)
}

/// What was last asked for on this socket: a follow-up that leaves it out gets it from here.
#[derive(Clone, Debug)]
struct LastRequest {
    model: String,
    instructions: Option<Value>,
}

struct Session<'a, 'b> {
    state: &'a State,
    asker: &'a Asker,
    socket: WebSocket<'b>,
    last: Option<LastRequest>,
    /// The id of a pre-warm that no generating request has followed yet.
    prewarmed: Option<String>,
}

/// What a message asks for.
#[derive(Clone, Debug)]
enum Demand {
    Refused(String),
    Prewarm(Asked),
    Generate(Asked),
}

/// Whether the socket goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Message,
    End,
}

impl Session<'_, '_> {
    async fn run(&mut self) {
        loop {
            let Ok(Message::Text(message) | Message::Binary(message)) = self.socket.next().await
            else {
                return;
            };
            let next = match self.demand(&message) {
                Demand::Refused(error) => self.send(error).await,
                Demand::Prewarm(request) => self.prewarm(&request).await,
                Demand::Generate(request) => self.generate(request).await,
            };
            if next == Next::End {
                return;
            }
        }
    }

    fn demand(&self, message: &[u8]) -> Demand {
        let mut asked = Asked::parse(message);
        let previous = trimmed(&asked.json["previous_response_id"]);
        if !previous.is_empty() && self.forgets(previous) {
            return Demand::Refused(previous_not_found());
        }
        match trimmed(&asked.json["type"]) {
            "response.create" if self.last.is_none() => {}
            "response.create" | "response.append" => {
                if let Some(refused) = self.refused_follow_up(&mut asked.json) {
                    return Demand::Refused(refused);
                }
            }
            kind => {
                let message = format!("unsupported websocket request type: {kind}");
                return Demand::Refused(bad_request(&message));
            }
        }
        trimmed(&asked.json["model"]).clone_into(&mut asked.model);
        if asked.model.is_empty() {
            return Demand::Refused(bad_request("missing model in response.create request"));
        }
        if self.last.is_none() && asked.json["generate"] == Value::Bool(false) {
            return Demand::Prewarm(asked);
        }
        Demand::Generate(asked)
    }

    /// Whether this socket cannot know the response: before the first request, and after a pre-warm any but that.
    fn forgets(&self, previous: &str) -> bool {
        match (&self.prewarmed, &self.last) {
            (Some(prewarmed), _) => prewarmed != previous,
            (None, last) => last.is_none(),
        }
    }

    /// Why a request after the first is refused; gives it the model and the instructions of the last one if it has none.
    fn refused_follow_up(&self, request: &mut Value) -> Option<String> {
        let Some(last) = &self.last else {
            return Some(bad_request(
                "websocket request received before response.create",
            ));
        };
        if !request["input"].is_array() {
            return Some(bad_request("websocket request requires array field: input"));
        }
        if request.get("model").is_none() {
            request["model"] = json!(last.model);
        }
        if let (None, Some(instructions)) = (request.get("instructions"), &last.instructions) {
            request["instructions"] = instructions.clone();
        }
        None
    }

    /// Answers a pre-warm without a provider: created and completed at once, nothing used.
    async fn prewarm(&mut self, asked: &Asked) -> Next {
        let request = &asked.json;
        let id = format!("resp_prewarm_{}", self.state.fresh_uuid());
        let created = prewarm_response(&id, "in_progress", request);
        let mut completed = prewarm_response(&id, "completed", request);
        // The model comes last, after the usage.
        if let Value::Object(fields) = &mut completed {
            let model = fields.shift_remove("model");
            fields.insert("usage".to_owned(), no_usage());
            fields.extend(model.map(|model| ("model".to_owned(), model)));
        }
        let frames = [
            ("response.created", created),
            ("response.completed", completed),
        ];
        for (number, (name, response)) in frames.into_iter().enumerate() {
            let event = json!({"type": name, "sequence_number": number, "response": response});
            if self.send(event.to_string()).await == Next::End {
                return Next::End;
            }
        }
        self.remember(asked);
        self.prewarmed = Some(id);
        Next::Message
    }

    async fn generate(&mut self, mut asked: Asked) -> Next {
        if let Value::Object(fields) = &mut asked.json {
            fields.shift_remove("type");
            // The provider gets the whole conversation, so that there is nothing before it to refer to.
            fields.shift_remove("previous_response_id");
            fields.insert("stream".to_owned(), json!(true));
        }
        let Some(model) = self.state.configuration.catalogue.find(&asked.model) else {
            let body = unknown_model(ClientApi::Responses.shape(), &asked.model);
            self.send(error_frame(400, &body)).await;
            return Next::End;
        };
        let planned = plan(ClientApi::Responses, Mode::Streamed, model, &asked);
        let mut journal = Journal::begin(self.state, self.asker, model, &asked);
        let score = match planned.plan.clone() {
            Plan::Streamed(score) => score,
            Plan::Whole {
                after,
                status,
                body,
            } => {
                journal.end(&planned, &planned.outcome);
                return self.refuse(after, status, &body).await;
            }
        };
        for beat in &score.beats {
            tokio::time::sleep_until(Instant::now() + beat.after).await;
            journal.first_token();
            for frame in &beat.frames {
                if self.send(frame.data.clone()).await == Next::End {
                    return Next::End;
                }
            }
        }
        journal.end(&planned, &planned.outcome);
        self.remember(&asked);
        self.prewarmed = None;
        match score.breakdown {
            None => Next::Message,
            // CPA says nothing of a provider that broke off: the socket just ends.
            Some(_) => Next::End,
        }
    }

    /// A provider's refusal ends the socket; only what the request itself was at fault for is told.
    async fn refuse(&mut self, after: Duration, status: u16, body: &str) -> Next {
        tokio::time::sleep_until(Instant::now() + after).await;
        if REQUEST_FAULTS.contains(&status) {
            self.send(error_frame(status, body)).await;
        }
        Next::End
    }

    fn remember(&mut self, asked: &Asked) {
        self.last = Some(LastRequest {
            model: asked.model.clone(),
            instructions: asked.json.get("instructions").cloned(),
        });
    }

    async fn send(&mut self, text: String) -> Next {
        match self.socket.write(&Frame::text(text)).await {
            Ok(()) => Next::Message,
            Err(_) => Next::End,
        }
    }
}

/// The text of a field without the whitespace around it.
fn trimmed(value: &Value) -> &str {
    value.as_str().unwrap_or_default().trim()
}

fn prewarm_response(id: &str, status: &str, request: &Value) -> Value {
    json!({
        "id": id,
        "object": "response",
        "created_at": OffsetDateTime::now_utc().unix_timestamp(),
        "status": status,
        "background": false,
        "error": null,
        "output": [],
        "model": request["model"],
    })
}

fn no_usage() -> Value {
    json!({
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    })
}

/// An error frame around a body `{"error":…}`, whose error is kept as it is written.
fn error_frame(status: u16, body: &str) -> String {
    let error = body
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .and_then(|rest| rest.trim_start().strip_prefix("\"error\""))
        .and_then(|rest| rest.trim_start().strip_prefix(':'))
        .map_or("null", str::trim);
    format!("{{\"type\":\"error\",\"status\":{status},\"error\":{error}}}")
}

fn bad_request(message: &str) -> String {
    let body = super::refusal::invalid_request(message);
    error_frame(400, &body)
}

fn previous_not_found() -> String {
    let error = json!({"error": {
        "message": "Previous response is not available on this websocket; resend the full \
                    conversation input without previous_response_id",
        "type": "invalid_request_error",
        "code": "previous_response_not_found",
        "param": "previous_response_id",
    }});
    error_frame(409, &error.to_string())
}

/// The statuses for which the request is to blame, and that a client is told of.
const REQUEST_FAULTS: [u16; 4] = [400, 409, 413, 422];

const RELAY_PING: Duration = Duration::from_secs(30);
const RELAY_SILENCE: Duration = Duration::from_secs(60);
