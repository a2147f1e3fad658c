//! What any provider sends, seen as the events of a chat completion.

use super::chat::{CHAT_ID, ChatEvent, chat_stream};
use super::messages::messages_stream;
use super::model::{Dialect, Model};
use super::pace::{Emission, StreamEnd, Timeline};
use super::responses::responses_stream;

impl Model {
    /// The identifier of its answers.
    pub(crate) const fn answer_id(&self) -> &'static str {
        match self.dialect {
            Dialect::OpenAi => CHAT_ID,
            Dialect::Codex => "resp_mock1",
            Dialect::Claude => "msg_mock1",
        }
    }
}

/// The stream of `model`, each of its events as those of a chat completion that it amounts to, maybe none.
pub(crate) fn chat_view(model: &Model) -> Timeline<Vec<ChatEvent>> {
    match model.dialect {
        Dialect::OpenAi => mapped(chat_stream(model), |event| vec![event]),
        Dialect::Codex => mapped(responses_stream(model), |event| {
            from_name(model, event.name, event.data["delta"].as_str())
        }),
        Dialect::Claude => mapped(messages_stream(model), |event| {
            from_name(model, event.name, event.data["delta"]["text"].as_str())
        }),
    }
}

fn from_name(model: &Model, name: &str, text: Option<&str>) -> Vec<ChatEvent> {
    let finished = ChatEvent::Finished {
        reason: "stop",
        usage: model.turn.usage,
    };
    match name {
        "response.created" | "message_start" => vec![ChatEvent::Role],
        "response.output_text.delta" | "content_block_delta" => {
            vec![ChatEvent::Text(text.unwrap_or_default().to_owned())]
        }
        "response.completed" => vec![finished, ChatEvent::Done],
        "message_delta" => vec![finished],
        "message_stop" => vec![ChatEvent::Done],
        _ => Vec::new(),
    }
}

fn mapped<E>(timeline: Timeline<E>, map: impl Fn(E) -> Vec<ChatEvent>) -> Timeline<Vec<ChatEvent>> {
    let end: StreamEnd = timeline.end;
    let emissions = timeline
        .emissions
        .into_iter()
        .map(|Emission { after, event }| Emission {
            after,
            event: map(event),
        })
        .collect();
    Timeline { emissions, end }
}
