//! An answer as a whole: by the provider that gives it, and the API that the client speaks.

use serde_json::{Value, json};

use super::asked::Asked;
use super::go_json::go_json;
use super::plan::ClientApi;
use super::provider::{CREATED, Dialect, Model, chat_answer, completed_response, messages_answer};
use super::translation::{
    chat_from_turn, completion, content_from_turn, message_from_turn, response_from_turn,
};

/// The answer of `model` to a client of this API that wants no stream.
pub(crate) fn whole_body(api: ClientApi, model: &Model, asked: &Asked) -> String {
    let turn = &model.turn;
    let (id, created) = (model.answer_id(), CREATED);
    match (api, model.dialect) {
        (ClientApi::Chat, _) => whole_chat(model).to_string(),
        (ClientApi::Completions, _) => completion(&whole_chat(model)).to_string(),
        (ClientApi::Responses, Dialect::Codex) => completed_response(model).to_string(),
        (ClientApi::Responses, _) => go_json(&response_from_turn(id, created, &asked.json, turn)),
        (ClientApi::Messages, Dialect::Claude) => messages_answer(model).to_string(),
        (ClientApi::Messages, _) => go_json(&message_from_turn(&model.id, id, turn)),
        (ClientApi::Gemini | ClientApi::GeminiRaw, _) => {
            go_json(&content_from_turn(&model.id, turn))
        }
        (ClientApi::Compact, _) => compaction(model).to_string(),
    }
}

fn whole_chat(model: &Model) -> Value {
    match model.dialect {
        Dialect::OpenAi => chat_answer(model),
        _ => chat_from_turn(model),
    }
}

/// The compaction that a provider of the Responses API answers with.
fn compaction(model: &Model) -> Value {
    let response = completed_response(model);
    json!({
        "id": response["id"],
        "object": "response.compaction",
        "created_at": response["created_at"],
        "output": response["output"],
        "usage": response["usage"],
    })
}
