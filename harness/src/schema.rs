//! The JSON Schemas that are published.

use schemars::JsonSchema;

/// The JSON Schema (draft 2020-12) of a type, indented.
pub(crate) fn text_of<T: JsonSchema>() -> String {
    let schema = schemars::schema_for!(T);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has only string keys");
    text.push('\n');
    text
}
