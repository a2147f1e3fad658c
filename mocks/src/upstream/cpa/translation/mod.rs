//! From what providers send to what clients of each API get.

mod chat;
mod completions;
mod frame;
mod gemini;
mod messages;
mod response_object;
mod responses;

pub(crate) use chat::{ChatFrames, chat_from_turn};
pub(crate) use completions::{completion, completion_score};
pub(crate) use frame::{Breakdown, Frame, Score, translate};
pub(crate) use gemini::{GeminiFromChat, content_from_turn};
pub(crate) use messages::{MessagesFromChat, message_from_turn};
pub(crate) use response_object::response_from_turn;
pub(crate) use responses::ResponsesFromChat;
