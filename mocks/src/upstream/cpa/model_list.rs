//! The model lists, in the shapes that clients of three APIs expect.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::provider::{Catalogue, Dialect, Model};

/// OpenAI's shape: `{"data":[…],"object":"list"}`.
pub(crate) fn openai_list(catalogue: &Catalogue, created: OffsetDateTime) -> Value {
    let data = catalogue.listed().map(|model| {
        json!({
            "created": created.unix_timestamp(),
            "id": model.id,
            "object": "model",
            "owned_by": model.owner(),
        })
    });
    json!({"data": data.collect::<Vec<_>>(), "object": "list"})
}

/// Anthropic's shape, for `Anthropic-Version` or a `claude-cli` user agent: models that are not Anthropic's are
/// disguised, because that client shows no others.
pub(crate) fn anthropic_list(catalogue: &Catalogue, created: OffsetDateTime) -> Value {
    let created_at = created
        .replace_nanosecond(0)
        .unwrap_or(created)
        .format(&Rfc3339)
        .unwrap_or_default();
    let data: Vec<Value> = catalogue
        .listed()
        .map(|model| {
            json!({
                "created_at": created_at,
                "display_name": model.id,
                "id": disguised(model),
                "max_input_tokens": 200_000,
                "max_tokens": 64_000,
                "object": "model",
                "owned_by": model.owner(),
                "type": "model",
            })
        })
        .collect();
    let id_of = |entry: Option<&Value>| entry.map_or(json!(""), |entry| entry["id"].clone());
    let (first_id, last_id) = (id_of(data.first()), id_of(data.last()));
    json!({"data": data, "first_id": first_id, "has_more": false, "last_id": last_id})
}

/// Gemini's shape.
pub(crate) fn gemini_list(catalogue: &Catalogue) -> Value {
    let models: Vec<Value> = catalogue.listed().map(gemini_model).collect();
    json!({"models": models})
}

/// One model in Gemini's shape.
fn gemini_model(model: &Model) -> Value {
    json!({
        "description": model.id,
        "displayName": model.id,
        "name": format!("models/{}", model.id),
        "supportedGenerationMethods": ["generateContent"],
    })
}

/// One model as `/v1beta/models/{name}` shows it: less than in the list.
pub(crate) fn gemini_model_entry(model: &Model) -> Value {
    json!({"displayName": model.id, "name": format!("models/{}", model.id)})
}

/// The catalogue that Codex asks for, by its `client_version`. CPA fills it from a catalogue of OpenAI's, which is not
/// here: these entries have what Codex requires, and nothing of what a real one says about a model.
pub(crate) fn codex_list(catalogue: &Catalogue) -> Value {
    let models: Vec<Value> = catalogue
        .listed()
        .enumerate()
        .map(|(priority, model)| codex_model(model, priority))
        .collect();
    json!({"models": models})
}

fn codex_model(model: &Model, priority: usize) -> Value {
    json!({
        "apply_patch_tool_type": null,
        "base_instructions": "",
        "context_window": 200_000,
        "default_reasoning_level": "medium",
        "default_verbosity": null,
        "description": model.id,
        "display_name": model.id,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"],
        "minimal_client_version": "0.1.0",
        "priority": priority,
        "shell_type": "shell_command",
        "slug": model.id,
        "support_verbosity": false,
        "supported_in_api": true,
        "supported_reasoning_levels": [{"description": "Medium", "effort": "medium"}],
        "supports_parallel_tool_calls": true,
        "supports_reasoning_summaries": false,
        "truncation_policy": {"limit": 10_000, "mode": "bytes"},
        "upgrade": null,
        "visibility": "list",
    })
}

/// The model that a client means: its name, or the disguise of it.
pub(crate) fn undisguised(id: &str) -> String {
    match id.strip_prefix(DISGUISE) {
        Some(reversed) => reversed.chars().rev().collect(),
        None => id.to_owned(),
    }
}

fn disguised(model: &Model) -> String {
    if model.dialect == Dialect::Claude || model.id.starts_with("claude") {
        return model.id.clone();
    }
    let reversed: String = model.id.chars().rev().collect();
    format!("{DISGUISE}{reversed}")
}

const DISGUISE: &str = "claude-fable-5-dd-";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::cpa::provider::example_catalogue;

    #[test]
    fn foreign_models_are_disguised_and_found_again() {
        let list = anthropic_list(&example_catalogue(), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(list["first_id"], "claude-cut");
        assert_eq!(list["data"][2]["id"], "claude-fable-5-dd-104-xc");
        assert_eq!(list["data"][2]["display_name"], "cx-401");
        assert_eq!(undisguised("claude-fable-5-dd-104-xc"), "cx-401");
        assert_eq!(undisguised("claude-mock"), "claude-mock");
    }

    #[test]
    fn unlisted_models_are_in_no_list() {
        let list = openai_list(&example_catalogue(), OffsetDateTime::UNIX_EPOCH).to_string();
        assert!(list.contains("m-slow"));
        assert!(!list.contains("m-slow2"));
    }
}
