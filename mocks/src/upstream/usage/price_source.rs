//! Prices fetched from a file in LiteLLM's form.
//!
//! The real program fetches LiteLLM's public file. The mock fetches only what it was given, on loopback, and fails otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::base_url::BaseUrl;
use super::client::get;
use super::event::now_ms;
use super::go_scan::first_value;
use super::prices::Price;

/// Prices from a source, and how many of its entries are no prices.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) skipped: usize,
}

/// Fetches the file at `url`.
///
/// # Errors
/// With Go's reason.
pub(super) async fn fetch(url: &str) -> Result<Fetched, String> {
    let base = BaseUrl::normalized(url).ok_or("unsupported protocol scheme \"\"")?;
    let answer = get(&base, base.path(), &[], TIMEOUT).await?;
    if !(200..300).contains(&answer.status) {
        return Err(format!("model price sync failed: {}", answer.status_line));
    }
    let text = String::from_utf8_lossy(first_value(&answer.body)?).into_owned();
    let Ok(Value::Object(entries)) = serde_json::from_str(&text) else {
        return Err(
            "json: cannot unmarshal into Go value of type map[string]json.RawMessage".to_owned(),
        );
    };
    Ok(read(&entries))
}

/// Those of the prices that are asked for: by name, else by the shortest name that ends in `/` and it.
pub(super) fn select(
    prices: BTreeMap<String, Price>,
    models: &[String],
) -> BTreeMap<String, Price> {
    let wanted: Vec<&str> = models
        .iter()
        .map(|model| model.trim())
        .filter(|model| !model.is_empty())
        .collect();
    if wanted.is_empty() {
        return prices;
    }
    let find = |model: &str| {
        let suffix = format!("/{model}");
        let longer = prices
            .iter()
            .filter(|(name, _)| name.ends_with(&suffix))
            .min_by_key(|(name, _)| name.len());
        prices
            .get(model)
            .or(longer.map(|(_, price)| price))
            .cloned()
    };
    wanted
        .into_iter()
        .filter_map(|model| Some((model.to_owned(), find(model)?)))
        .collect()
}

fn read(entries: &Map<String, Value>) -> Fetched {
    let mut fetched = Fetched {
        prices: BTreeMap::new(),
        skipped: 0,
    };
    for (model, entry) in entries {
        match price(model, entry) {
            Some(price) => {
                fetched.prices.insert(model.clone(), price);
            }
            None => fetched.skipped += 1,
        }
    }
    fetched
}

/// The price of an entry; `None` if it is none.
fn price(model: &str, entry: &Value) -> Option<Price> {
    if model.is_empty() || model == "sample_spec" {
        return None;
    }
    let fields = entry.as_object()?;
    let prompt = number(fields, "input_cost_per_token");
    let completion = number(fields, "output_cost_per_token");
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let cache = number(fields, "cache_read_input_token_cost")
        .or_else(|| number(fields, "cache_read_cost_per_token"));
    let now = now_ms();
    let price = Price {
        prompt: prompt.unwrap_or_default() * MILLION,
        completion: completion.unwrap_or_default() * MILLION,
        cache: cache.or(prompt).unwrap_or_default() * MILLION,
        source: SOURCE.to_owned(),
        source_model_id: model.to_owned(),
        raw_json: entry.to_string(),
        updated_at_ms: now,
        synced_at_ms: Some(now),
    };
    price.is_valid().then_some(price)
}

fn number(fields: &Map<String, Value>, name: &str) -> Option<f64> {
    match fields.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// What prices from there are marked with.
pub(super) const SOURCE: &str = "litellm";
const TIMEOUT: Duration = Duration::from_secs(30);
/// Prices are for a million tokens, the file's for one.
const MILLION: f64 = 1e6;
