//! The scripted provider that stands behind CPA: which models there are, and what each of them sends when.

mod chat;
mod messages;
mod model;
mod pace;
mod responses;
mod turn;
mod view;

pub(crate) use chat::{CREATED, ChatEvent, chat_answer, chat_stream};
pub(crate) use messages::{messages_answer, messages_stream};
pub(crate) use model::{Catalogue, example_catalogue};
pub use model::{Delivery, Dialect, End, Model};
pub(crate) use pace::{Emission, StreamEnd, Timeline};
pub(crate) use responses::{completed as completed_response, responses_stream};
pub use turn::{ToolCall, Turn, Usage};
pub(crate) use view::chat_view;
