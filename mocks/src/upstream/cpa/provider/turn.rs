//! One turn of a scripted model: what it thinks, says and calls.

use serde::{Deserialize, Serialize};

/// What a model answers, in the pieces in which it streams it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// Pieces of reasoning, before the text.
    pub reasoning: Vec<String>,
    /// Pieces of text.
    pub text: Vec<String>,
    /// The tool call, after the text.
    pub call: Option<ToolCall>,
    /// Tokens it says it used.
    pub usage: Usage,
}

/// A call of a client's function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Identifier of the call.
    pub id: String,
    /// Name of the function.
    pub name: String,
    /// Its arguments: JSON, as text.
    pub arguments: String,
}

/// Tokens of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
}

impl Turn {
    /// A turn that only says `pieces`.
    pub fn saying<I, S>(pieces: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self {
            reasoning: Vec::new(),
            text: pieces.into_iter().map(Into::into).collect(),
            call: None,
            usage: Usage::default(),
        }
    }

    /// All of its text.
    pub(crate) fn whole_text(&self) -> String {
        self.text.concat()
    }

    /// All of its reasoning.
    pub(crate) fn whole_reasoning(&self) -> String {
        self.reasoning.concat()
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self::saying(["Hel", "lo ", "world."])
    }
}

impl Usage {
    /// Both together.
    pub(crate) const fn total(self) -> u64 {
        self.input + self.output
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            input: 9,
            output: 3,
        }
    }
}
