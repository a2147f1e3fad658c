//! Model prices: a million tokens each, as the panel edits them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::event::now_ms;
use super::go_value::Fields;

/// The price of one model, fields in their order on the wire.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Price {
    pub(super) prompt: f64,
    pub(super) completion: f64,
    pub(super) cache: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) source_model_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) raw_json: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) updated_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) synced_at_ms: Option<i64>,
}

impl Price {
    /// Whether it can be saved: no negative parts.
    pub(super) fn is_valid(&self) -> bool {
        [self.prompt, self.completion, self.cache]
            .iter()
            .all(|part| *part >= 0.0 && part.is_finite())
    }

    fn read(fields: &Fields<'_>) -> Result<Self, String> {
        Ok(Self {
            prompt: fields.float("prompt")?,
            completion: fields.float("completion")?,
            cache: fields.float("cache")?,
            source: fields.text("source")?,
            source_model_id: fields.text("sourceModelId")?,
            raw_json: fields.text("rawJson")?,
            updated_at_ms: fields.integer("updatedAtMs")?.unwrap_or_default(),
            synced_at_ms: fields.integer("syncedAtMs")?,
        })
    }
}

/// The prices in the body of a PUT, to replace all there are.
///
/// # Errors
/// With the reason of the refusal.
pub(super) fn read_prices(body: &Value) -> Result<BTreeMap<String, Price>, String> {
    let top = Fields::top(body, "httpapi", "modelPricesRequest")?;
    let listed = match top.named("prices") {
        None => return Err("prices are required".to_owned()),
        Some(Value::Object(listed)) => listed,
        Some(other) => return Err(top.mismatch("prices", other, "map[string]store.ModelPrice")),
    };
    let now = now_ms();
    let mut prices = BTreeMap::new();
    for (model, value) in listed {
        let empty = serde_json::Map::new();
        let fields = match value {
            Value::Object(fields) => top.inner("prices", "ModelPrice", fields),
            Value::Null => top.inner("prices", "ModelPrice", &empty),
            other => return Err(top.mismatch("prices", other, "store.ModelPrice")),
        };
        let price = Price {
            updated_at_ms: now,
            ..Price::read(&fields)?
        };
        let model = model.trim();
        if model.is_empty() {
            return Err("model is required".to_owned());
        }
        if !price.is_valid() {
            return Err(format!("invalid model price for {model}"));
        }
        prices.insert(model.to_owned(), price);
    }
    Ok(prices)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::upstream::go_json::go_json;

    #[test]
    fn prices_in_and_out() {
        let prices =
            read_prices(&json!({"prices": {"m": {"prompt": 1.5, "completion": 2, "cache": 0.1}}}))
                .unwrap();
        let text = go_json(&prices);
        assert!(
            text.starts_with(r#"{"m":{"prompt":1.5,"completion":2,"cache":0.1,"updatedAtMs":"#),
            "{text}"
        );
    }

    #[test]
    fn refusals() {
        let refused = |body| read_prices(&body).unwrap_err();
        assert_eq!(refused(json!({})), "prices are required");
        assert_eq!(
            refused(json!({"prices": {"x": {"prompt": -1}}})),
            "invalid model price for x"
        );
        let reason = "json: cannot unmarshal string into Go struct field ModelPrice.prices.prompt of type float64";
        assert_eq!(refused(json!({"prices": {"x": {"prompt": "1"}}})), reason);
    }
}
