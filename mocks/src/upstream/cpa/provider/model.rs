//! The models behind CPA, and how each of them behaves.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::turn::{ToolCall, Turn};

/// A model that CPA serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name that clients ask for.
    pub id: String,
    /// The API that its provider speaks to CPA.
    pub dialect: Dialect,
    /// What it answers.
    #[serde(default)]
    pub turn: Turn,
    /// Milliseconds before anything at all.
    #[serde(default)]
    pub silence_ms: u64,
    /// Milliseconds before each event of a stream.
    #[serde(default = "default_pace")]
    pub pace_ms: u64,
    /// Whether events of a stream come one by one.
    #[serde(default)]
    pub delivery: Delivery,
    /// How its answer ends.
    #[serde(default)]
    pub end: End,
    /// Whether the model lists show it.
    #[serde(default = "listed")]
    pub listed: bool,
}

/// The API that a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Chat completions.
    #[serde(rename = "openai")]
    OpenAi,
    /// Responses, passed through by CPA's Codex executor, which always streams.
    Codex,
    /// Anthropic's messages.
    Claude,
}

/// How the events of a stream come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// One write each, at the model's pace.
    #[default]
    Paced,
    /// All in one write.
    Lump,
}

/// How a provider's answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As it should.
    #[default]
    Complete,
    /// A stream is aborted after so many pieces of text.
    Cut(usize),
    /// A stream ends after so many pieces of text, without its terminal event.
    Unfinished(usize),
    /// `response.failed` after the item is added.
    Failed,
    /// This status, with an error in JSON.
    Refused(u16),
    /// The connection ends before the head.
    Early,
}

impl Model {
    /// A model that says "Hello world." in three pieces, 20 ms apart.
    pub fn new(id: impl Into<String>, dialect: Dialect) -> Self {
        Self {
            id: id.into(),
            dialect,
            turn: Turn::default(),
            silence_ms: 0,
            pace_ms: default_pace(),
            delivery: Delivery::default(),
            end: End::default(),
            listed: true,
        }
    }

    /// With this turn.
    #[must_use]
    pub fn turn(mut self, turn: Turn) -> Self {
        self.turn = turn;
        self
    }

    /// With so much time before each event.
    #[must_use]
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace_ms = milliseconds(pace);
        self
    }

    /// Silent for so long before it answers.
    #[must_use]
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence_ms = milliseconds(silence);
        self
    }

    /// With its events delivered so.
    #[must_use]
    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Ending so.
    #[must_use]
    pub const fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Served, and in no list.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    pub(crate) const fn silence_time(&self) -> Duration {
        Duration::from_millis(self.silence_ms)
    }

    pub(crate) const fn pace_time(&self) -> Duration {
        Duration::from_millis(self.pace_ms)
    }

    /// Who the model lists say owns it.
    pub(crate) const fn owner(&self) -> &'static str {
        match self.dialect {
            Dialect::OpenAi => "mock",
            Dialect::Codex => "openai",
            Dialect::Claude => "anthropic",
        }
    }
}

/// All models of one CPA, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    models: Vec<Model>,
}

impl Catalogue {
    /// Adds `model`, in place of one of the same name.
    pub(crate) fn add(&mut self, model: Model) {
        match self
            .models
            .binary_search_by(|known| known.id.cmp(&model.id))
        {
            Ok(at) => self.models[at] = model,
            Err(at) => self.models.insert(at, model),
        }
    }

    /// The model of that name.
    pub(crate) fn find(&self, id: &str) -> Option<&Model> {
        let at = self
            .models
            .binary_search_by(|known| known.id.as_str().cmp(id))
            .ok()?;
        self.models.get(at)
    }

    /// The models that the lists show.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.listed)
    }
}

/// The models that stood behind the recorded CPA; `m-slow2`, which it had only for three of the exchanges, is unlisted.
pub(crate) fn example_catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for model in chat_models()
        .into_iter()
        .chain(codex_models())
        .chain(claude_models())
    {
        catalogue.add(model);
    }
    for status in [400, 401, 403, 404, 413, 429, 500, 503] {
        catalogue.add(Model::new(format!("m-{status}"), Dialect::OpenAi).end(End::Refused(status)));
    }
    catalogue
}

fn chat_models() -> Vec<Model> {
    let model = |id: &str| Model::new(id, Dialect::OpenAi);
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "get".to_owned(),
        arguments: r#"{"a":1}"#.to_owned(),
    };
    let tool = Turn {
        text: Vec::new(),
        call: Some(call),
        ..Turn::default()
    };
    let reason = Turn {
        reasoning: vec!["Think".to_owned(), "ing".to_owned()],
        ..Turn::default()
    };
    vec![
        model("m-fast"),
        model("m-slow").pace(Duration::from_millis(300)),
        model("m-slow2")
            .pace(Duration::from_millis(2400))
            .unlisted(),
        model("m-silent").silence(Duration::from_secs(2)),
        model("m-tool").turn(tool),
        model("m-reason").turn(reason),
        model("m-lump").delivery(Delivery::Lump),
        model("m-big").turn(Turn::saying(["x".repeat(BIG)])),
        model("m-cut").end(End::Cut(1)),
        model("m-nodone").end(End::Unfinished(3)),
        model("m-early").end(End::Early),
    ]
}

fn codex_models() -> Vec<Model> {
    let model = |id: &str| Model::new(id, Dialect::Codex);
    vec![
        model("gpt-5-codex"),
        model("cx-slow").pace(Duration::from_millis(300)),
        model("cx-cut").end(End::Cut(2)),
        model("cx-nodone").end(End::Unfinished(2)),
        model("cx-failed").end(End::Failed),
        model("cx-401").end(End::Refused(401)),
        model("cx-429").end(End::Refused(429)),
        model("cx-early").end(End::Early),
    ]
}

fn claude_models() -> Vec<Model> {
    let model = |id: &str| Model::new(id, Dialect::Claude);
    vec![model("claude-mock"), model("claude-cut").end(End::Cut(1))]
}

const fn default_pace() -> u64 {
    20
}

const fn listed() -> bool {
    true
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

const BIG: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_can_be_written_as_data() {
        let text = r#"{
            "id": "mine", "dialect": "openai", "pace_ms": 5, "end": {"refused": 418},
            "turn": {"text": ["a", "b"], "usage": {"input": 1, "output": 2}}
        }"#;
        let model: Model = serde_json::from_str(text).unwrap();
        assert_eq!(model.end, End::Refused(418));
        assert_eq!(model.turn.whole_text(), "ab");
        assert!(model.listed);
        assert!(
            serde_json::from_str::<Model>(r#"{"id":"x","dialect":"codex","pase_ms":1}"#).is_err()
        );
    }
}
