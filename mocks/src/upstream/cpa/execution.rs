//! Asking a provider and passing its answer on: trace id, keep-alives, usage record.

use std::time::Duration;

use futures_util::FutureExt as _;
use time::OffsetDateTime;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::answer::{empty, raw_json};
use super::asked::Asked;
use super::envelope::{closing_frames, written};
use super::plan::{ClientApi, Mode, Plan, Planned, plan};
use super::provider::Model;
use super::refusal::{from_sentence, unknown_model};
use super::state::{State, auth_index};
use super::translation::Score;
use super::usage::{Asker, Outcome, Record};
use crate::upstream::{After, Exchange};
use crate::wire::http1::Response;

/// A request to a model, and how its answer is to be written.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    pub(crate) asker: &'a Asker,
    pub(crate) api: ClientApi,
    pub(crate) mode: Mode,
    /// The head of a stream, but for its trace id.
    pub(crate) stream_head: Response,
    pub(crate) codex_client: bool,
}

/// Executes `call`, and records what became of it.
pub(crate) async fn execute(call: Call<'_>, asked: Asked, exchange: &mut Exchange) -> After {
    let Some(model) = call.state.configuration.catalogue.find(&asked.model) else {
        let body = unknown_model(call.api.shape(), &asked.model);
        return exchange.respond(raw_json(400, body)).await;
    };
    let planned = plan(call.api, call.mode, model, &asked);
    let journal = Journal::begin(call.state, call.asker, model, &asked);
    // A stream may last: what was asked is not kept for it.
    drop(asked);
    let trace = journal.trace.clone();
    match planned.plan.clone() {
        Plan::Whole {
            after,
            status,
            body,
        } => {
            let answer = raw_json(status, body).field("X-Cpa-Trace-Id", trace);
            whole(&call, journal, &planned, after, answer, exchange).await
        }
        Plan::Streamed(score) => {
            let head = call.stream_head.clone().field("X-Cpa-Trace-Id", trace);
            streamed(&call, journal, &planned, score, head, exchange).await
        }
    }
}

async fn whole(
    call: &Call<'_>,
    journal: Journal<'_>,
    planned: &Planned,
    after: Duration,
    answer: Response,
    exchange: &mut Exchange,
) -> After {
    let mut gone = Box::pin(exchange.client_gone()).fuse();
    // The keep-alive begins before the provider is asked: where both are due at once, it comes first.
    let mut ticker = ticker(call.state.configuration.nonstream_keepalive);
    let ready = Instant::now() + after;
    let mut head = Some(Response {
        status: 200,
        body: bytes::Bytes::new(),
        ..answer.clone()
    });
    loop {
        tokio::select! {
            biased;
            () = &mut gone => {
                journal.end(planned, &canceled());
                return abandoned(call.api, answer, exchange).await;
            }
            () = tick(&mut ticker) => {
                if beat_before_answer(&mut head, exchange).await.is_err() {
                    journal.end(planned, &canceled());
                    return After::Answered;
                }
            }
            () = tokio::time::sleep_until(ready) => break,
        }
    }
    journal.end(planned, &planned.outcome);
    match exchange.started() {
        true => {
            // The status is out: an error can only be told of in the body.
            let _ = exchange.write(&answer.body).await;
            After::Answered
        }
        false => exchange.respond(answer).await,
    }
}

/// Writes one line end of the keep-alive; the first commits status 200 and the fields of the answer.
async fn beat_before_answer(
    head: &mut Option<Response>,
    exchange: &mut Exchange,
) -> std::io::Result<()> {
    if let Some(head) = head.take() {
        exchange.start(head).await?;
    }
    exchange.write(b"\n").await?;
    exchange.flush().await
}

async fn abandoned(api: ClientApi, answer: Response, exchange: &mut Exchange) -> After {
    if exchange.started() {
        return After::Answered;
    }
    let body = from_sentence(api.shape(), 499, "context canceled");
    exchange
        .respond(Response {
            status: 499,
            body: body.into(),
            ..answer
        })
        .await
}

async fn streamed(
    call: &Call<'_>,
    mut journal: Journal<'_>,
    planned: &Planned,
    score: Score,
    head: Response,
    exchange: &mut Exchange,
) -> After {
    let mut player = Player {
        head: Some(head),
        ticker: None,
        keepalive: match call.api {
            ClientApi::GeminiRaw => None,
            _ => call.state.configuration.keepalive,
        },
        exchange,
    };
    let mut gone = Box::pin(player.exchange.client_gone()).fuse();
    for beat in &score.beats {
        // A provider that sleeps between its events drifts.
        let due = Instant::now() + beat.after;
        let waited = tokio::select! {
            biased;
            () = &mut gone => Waited::ClientGone,
            waited = player.wait_until(due) => waited,
        };
        if waited == Waited::ClientGone {
            journal.end(planned, &canceled());
            return player.abandon().await;
        }
        journal.first_token();
        player.begin_ticking();
        for frame in &beat.frames {
            if player.send(&written(call.api, frame)).await.is_err() {
                journal.end(planned, &canceled());
                return After::Answered;
            }
        }
    }
    journal.end(planned, &planned.outcome);
    for piece in closing_frames(call.api, score.breakdown.as_ref(), call.codex_client) {
        if player.send(&[piece]).await.is_err() {
            break;
        }
    }
    player.finish().await
}

/// Writes a stream: its head with the first thing that is written, one chunk each.
struct Player<'a> {
    head: Option<Response>,
    ticker: Option<Interval>,
    keepalive: Option<Duration>,
    exchange: &'a mut Exchange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waited {
    Enough,
    ClientGone,
}

impl Player<'_> {
    /// Waits, writing comments meanwhile.
    async fn wait_until(&mut self, due: Instant) -> Waited {
        loop {
            tokio::select! {
                biased;
                () = tick(&mut self.ticker) => {}
                () = tokio::time::sleep_until(due) => return Waited::Enough,
            }
            if self.send(&[KEEP_ALIVE.to_owned()]).await.is_err() {
                return Waited::ClientGone;
            }
        }
    }

    /// The ticker runs from the provider's first word on, and is not reset by others.
    fn begin_ticking(&mut self) {
        if self.ticker.is_none() {
            self.ticker = ticker(self.keepalive);
        }
    }

    async fn send(&mut self, pieces: &[String]) -> std::io::Result<()> {
        if let Some(head) = self.head.take() {
            self.exchange.start(head).await?;
        }
        for piece in pieces {
            self.exchange.write(piece.as_bytes()).await?;
        }
        self.exchange.flush().await
    }

    /// Ends the body in order; a stream that said nothing is a head alone.
    async fn finish(self) -> After {
        match self.head {
            Some(head) => self.exchange.respond(head).await,
            None => After::Answered,
        }
    }

    /// The client has gone: the handler returns, having written what it had.
    async fn abandon(self) -> After {
        match self.head {
            Some(_) => self.exchange.respond(empty(200)).await,
            None => After::Answered,
        }
    }
}

fn ticker(period: Option<Duration>) -> Option<Interval> {
    period.map(|period| {
        let mut interval = interval_at(Instant::now() + period, period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        interval
    })
}

async fn tick(ticker: &mut Option<Interval>) {
    match ticker {
        Some(ticker) => {
            ticker.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn canceled() -> Outcome {
    Outcome::Failed {
        status: 499,
        body: "context canceled".to_owned(),
    }
}

/// What will be recorded of a request.
pub(crate) struct Journal<'a> {
    state: &'a State,
    asker: &'a Asker,
    model: &'a Model,
    at: OffsetDateTime,
    began: Instant,
    first_token: Option<Duration>,
    request_id: String,
    reasoning_effort: String,
    service_tier: String,
    pub(crate) trace: String,
}

impl<'a> Journal<'a> {
    /// Begins a record; the credential is chosen here, hence the trace id.
    pub(crate) fn begin(
        state: &'a State,
        asker: &'a Asker,
        model: &'a Model,
        asked: &Asked,
    ) -> Self {
        let (request_id, trace) = state.trace_id(model.dialect);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let effort = match asked.json["reasoning"]["effort"].as_str() {
            Some(effort) => effort.to_owned(),
            None => text(&asked.json["reasoning_effort"]),
        };
        let tier = text(&asked.json["service_tier"]);
        Self {
            state,
            asker,
            model,
            at: OffsetDateTime::now_utc(),
            began: Instant::now(),
            first_token: None,
            request_id,
            reasoning_effort: effort,
            service_tier: if tier.is_empty() {
                "auto".to_owned()
            } else {
                tier
            },
            trace,
        }
    }

    /// The provider's first word has come.
    pub(crate) fn first_token(&mut self) {
        self.first_token.get_or_insert_with(|| self.began.elapsed());
    }

    /// Publishes the record.
    pub(crate) fn end(self, planned: &Planned, outcome: &Outcome) {
        let latency = self.began.elapsed();
        self.state.publish(&Record {
            asker: self.asker.clone(),
            at: self.at,
            latency,
            first_token: self.first_token.unwrap_or(latency),
            dialect: self.model.dialect,
            auth_index: auth_index(self.model.dialect),
            request_id: self.request_id,
            model: self.model.id.clone(),
            alias: self.model.id.clone(),
            usage: planned.usage,
            outcome: outcome.clone(),
            response_headers: planned.response_headers.clone(),
            reasoning_effort: self.reasoning_effort,
            service_tier: self.service_tier,
        });
    }
}

const KEEP_ALIVE: &str = ": keep-alive\n\n";
