//! What management shows and changes.

use std::collections::BTreeMap;
use std::mem::Discriminant;

use serde_json::{Value, json};

use crate::upstream::cpa::configuration::{Configuration, UsageStatistics};

/// The settings of one CPA, by their path under `/v0/management/`.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    api_keys: Vec<String>,
    scalars: BTreeMap<&'static str, Value>,
    collections: BTreeMap<&'static str, Value>,
}

/// Why a change is refused; displayed in CPA's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadChange {
    #[error("invalid body")]
    Body,
    #[error("missing index or value")]
    Missing,
}

impl Settings {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let mut scalars: BTreeMap<&'static str, Value> = DEFAULTS
            .iter()
            .map(|(path, value)| (*path, serde_json::from_str(value).unwrap_or_default()))
            .collect();
        let statistics = configuration.usage_statistics == UsageStatistics::On;
        scalars.insert(STATISTICS, json!(statistics));
        Self {
            api_keys: configuration.api_keys.clone(),
            scalars,
            collections: BTreeMap::new(),
        }
    }

    pub(crate) fn api_keys(&self) -> &[String] {
        &self.api_keys
    }

    /// Whether usage records are kept now.
    pub(crate) fn usage_statistics(&self) -> UsageStatistics {
        match self.scalars.get(STATISTICS) {
            Some(Value::Bool(true)) => UsageStatistics::On,
            _ => UsageStatistics::Off,
        }
    }

    /// A scalar, as `GET` shows it: under the last part of its path.
    pub(crate) fn scalar(&self, path: &str) -> Value {
        let name = path.rsplit('/').next().unwrap_or(path);
        json!({name: self.scalars.get(path).cloned().unwrap_or_default()})
    }

    /// Sets a scalar from `{"value":…}`; the value must be of the kind that it replaces.
    pub(crate) fn set_scalar(&mut self, path: &str, body: &[u8]) -> Result<(), BadChange> {
        let body: Value = serde_json::from_slice(body).map_err(|_| BadChange::Body)?;
        let value = body.get("value").ok_or(BadChange::Body)?;
        let known = self.scalars.get_mut(path).ok_or(BadChange::Body)?;
        if kind(value) != kind(known) {
            return Err(BadChange::Body);
        }
        *known = value.clone();
        Ok(())
    }

    /// Empties a text.
    pub(crate) fn clear_scalar(&mut self, path: &str) {
        if let Some(known) = self.scalars.get_mut(path) {
            *known = json!("");
        }
    }

    /// Replaces the API keys: an array, or `{"items":[…]}`.
    pub(crate) fn set_api_keys(&mut self, body: &[u8]) -> Result<(), BadChange> {
        let body: Value = serde_json::from_slice(body).map_err(|_| BadChange::Body)?;
        let items = body.get("items").unwrap_or(&body);
        self.api_keys = serde_json::from_value(items.clone()).map_err(|_| BadChange::Body)?;
        Ok(())
    }

    /// Changes one API key: `{"old","new"}`, or `{"index","value"}`.
    pub(crate) fn change_api_key(&mut self, body: &[u8]) -> Result<(), BadChange> {
        let body: Value = serde_json::from_slice(body).map_err(|_| BadChange::Body)?;
        if let (Some(index), Some(value)) = (body["index"].as_u64(), body["value"].as_str()) {
            let index = usize::try_from(index).map_err(|_| BadChange::Missing)?;
            let key = self.api_keys.get_mut(index).ok_or(BadChange::Missing)?;
            value.clone_into(key);
            return Ok(());
        }
        let (Some(old), Some(new)) = (body["old"].as_str(), body["new"].as_str()) else {
            return Err(BadChange::Missing);
        };
        match self.api_keys.iter_mut().find(|key| *key == old) {
            Some(key) => new.clone_into(key),
            None => self.api_keys.push(new.to_owned()),
        }
        Ok(())
    }

    /// Removes an API key, by its place or its value.
    pub(crate) fn remove_api_key(
        &mut self,
        index: Option<&str>,
        value: Option<&str>,
    ) -> Result<(), BadChange> {
        if let Some(index) = index.and_then(|index| index.parse::<usize>().ok())
            && index < self.api_keys.len()
        {
            self.api_keys.remove(index);
            return Ok(());
        }
        let value = value
            .filter(|value| !value.is_empty())
            .ok_or(BadChange::Missing)?;
        self.api_keys.retain(|key| key != value);
        Ok(())
    }

    /// A list of objects or a map, as `GET` shows it.
    pub(crate) fn collection(&self, name: &str) -> Value {
        let empty = if name.starts_with("oauth-") {
            json!({})
        } else {
            json!([])
        };
        json!({name: self.collections.get(name).cloned().unwrap_or(empty)})
    }

    /// Replaces a list of objects or a map.
    pub(crate) fn set_collection(
        &mut self,
        name: &'static str,
        body: &[u8],
    ) -> Result<(), BadChange> {
        let body: Value = serde_json::from_slice(body).map_err(|_| BadChange::Body)?;
        let items = body.get("items").cloned().unwrap_or(body);
        self.collections.insert(name, items);
        Ok(())
    }

    /// Everything, as `config` shows it.
    pub(crate) fn config(&self) -> Value {
        let mut config = json!({"api-keys": self.api_keys});
        for (path, value) in &self.scalars {
            match path.split_once('/') {
                Some((group, name)) => config[group][name] = value.clone(),
                None => config[*path] = value.clone(),
            }
        }
        if let Value::Object(fields) = &mut config {
            fields.sort_keys();
        }
        config
    }
}

/// What kind of JSON value it is: a change must keep it.
fn kind(value: &Value) -> Discriminant<Value> {
    std::mem::discriminant(value)
}

const STATISTICS: &str = "usage-statistics-enabled";

/// CPA's defaults, as JSON.
const DEFAULTS: &[(&str, &str)] = &[
    ("debug", "false"),
    ("logging-to-file", "false"),
    ("logs-max-total-size-mb", "0"),
    ("error-logs-max-files", "10"),
    ("quota-exceeded/switch-project", "false"),
    ("quota-exceeded/switch-preview-model", "false"),
    ("request-log", "false"),
    ("ws-auth", "true"),
    ("request-retry", "0"),
    ("max-retry-credentials", "0"),
    ("max-retry-interval", "0"),
    ("force-model-prefix", "false"),
    ("routing/strategy", "\"round-robin\""),
    ("proxy-url", "\"\""),
];
