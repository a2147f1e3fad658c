//! What a stream brings, and when: by the provider that sends it, and the API that the client speaks.

use serde_json::Value;

use super::asked::Asked;
use super::plan::ClientApi;
use super::provider::{
    CREATED, ChatEvent, Dialect, Model, StreamEnd, Timeline, chat_view, messages_stream,
    responses_stream,
};
use super::token_estimate::estimated_tokens;
use super::translation::{
    Breakdown, ChatFrames, Frame, GeminiFromChat, MessagesFromChat, ResponsesFromChat, Score,
    completion_score, translate,
};

/// The stream of `model` as a client of this API gets it.
pub(crate) fn score(api: ClientApi, model: &Model, asked: &Asked) -> Score {
    match (api, model.dialect) {
        (ClientApi::Responses, Dialect::Codex) => native_responses(model),
        (ClientApi::Messages, Dialect::Claude) => native_messages(model),
        (ClientApi::Chat | ClientApi::Compact, _) => chat_score(model),
        (ClientApi::Completions, _) => completion_score(chat_score(model)),
        (ClientApi::Responses, _) => responses_score(model, asked),
        (ClientApi::Messages, _) => messages_score(model, asked),
        (ClientApi::Gemini | ClientApi::GeminiRaw, _) => gemini_score(model),
    }
}

fn chat_score(model: &Model) -> Score {
    let timeline = chat_view(model);
    translate(
        &timeline,
        &mut ChatFrames { model },
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |_, _| (Vec::new(), broken(model, &timeline)),
    )
}

fn responses_score(model: &Model, asked: &Asked) -> Score {
    let timeline = chat_view(model);
    let mut frames = ResponsesFromChat::new(&model.id, model.answer_id(), CREATED, &asked.json);
    translate(
        &timeline,
        &mut frames,
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |_, _| {
            let unfinished = || Breakdown::new(502, "upstream stream closed before [DONE]");
            let breakdown =
                broken(model, &timeline).or_else(|| (!ended_well(&timeline)).then(unfinished));
            (Vec::new(), breakdown)
        },
    )
}

fn messages_score(model: &Model, asked: &Asked) -> Score {
    let timeline = chat_view(model);
    let input_tokens = estimated_tokens(&asked.json);
    let mut frames = MessagesFromChat::new(&model.id, model.answer_id(), input_tokens);
    translate(
        &timeline,
        &mut frames,
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |frames, _| finish_as_done(model, &timeline, || frames.event(&ChatEvent::Done)),
    )
}

fn gemini_score(model: &Model) -> Score {
    let timeline = chat_view(model);
    let mut frames = GeminiFromChat::new(&model.id);
    translate(
        &timeline,
        &mut frames,
        |frames, events| {
            events
                .iter()
                .flat_map(|event| frames.event(event))
                .collect()
        },
        |frames, _| finish_as_done(model, &timeline, || frames.event(&ChatEvent::Done)),
    )
}

/// What a stream that ends without its terminal event brings, where CPA pretends that it came.
fn finish_as_done(
    model: &Model,
    timeline: &Timeline<Vec<ChatEvent>>,
    done: impl FnOnce() -> Vec<Frame>,
) -> (Vec<Frame>, Option<Breakdown>) {
    match broken(model, timeline) {
        Some(breakdown) => (Vec::new(), Some(breakdown)),
        None if ended_well(timeline) => (Vec::new(), None),
        None => (done(), None),
    }
}

fn ended_well(timeline: &Timeline<Vec<ChatEvent>>) -> bool {
    let last = timeline.emissions.last();
    last.is_some_and(|emission| emission.event.contains(&ChatEvent::Done))
}

/// Why a stream broke, where that is for its provider's executor to say.
fn broken(model: &Model, timeline: &Timeline<Vec<ChatEvent>>) -> Option<Breakdown> {
    if model.dialect == Dialect::Codex {
        return native_responses(model).breakdown;
    }
    aborted(timeline.end)
}

fn aborted(end: StreamEnd) -> Option<Breakdown> {
    (end == StreamEnd::Aborted).then(|| Breakdown::new(500, "unexpected EOF"))
}

/// A Responses-style provider's events pass untouched; its `response.failed` becomes an error of CPA's.
fn native_responses(model: &Model) -> Score {
    let timeline = responses_stream(model);
    let failure = timeline
        .emissions
        .iter()
        .find(|emission| emission.event.name == "response.failed")
        .map(|emission| failure(&emission.event.data));
    let completed = timeline
        .emissions
        .iter()
        .any(|emission| emission.event.name == "response.completed");
    translate(
        &timeline,
        &mut (),
        |(), event| match event.name {
            "response.failed" => Vec::new(),
            name => vec![Frame::named(name, event.data.to_string())],
        },
        |(), _| {
            let breakdown = failure
                .or_else(|| (!completed).then(|| Breakdown::new(408, CLOSED_BEFORE_COMPLETED)));
            (Vec::new(), breakdown)
        },
    )
}

fn failure(data: &Value) -> Breakdown {
    let error = &data["response"]["error"];
    let message = error["message"].as_str().unwrap_or_default();
    let mut breakdown = Breakdown::new(500, message);
    breakdown.code = error["code"].as_str().map(str::to_owned);
    breakdown
}

fn native_messages(model: &Model) -> Score {
    let timeline = messages_stream(model);
    translate(
        &timeline,
        &mut (),
        |(), event| vec![Frame::named(event.name, event.data.to_string())],
        |(), end| (Vec::new(), aborted(end)),
    )
}

const CLOSED_BEFORE_COMPLETED: &str = "stream error: stream disconnected before completion: \
     stream closed before response.completed";
