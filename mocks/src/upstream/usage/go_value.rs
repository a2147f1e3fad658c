//! Fields of a JSON object as Go decodes them into a struct.

use serde_json::{Map, Value};

/// A struct's view of a JSON value.
pub(super) struct Fields<'a> {
    /// The struct's name in error texts.
    name: &'static str,
    /// The path of struct fields that leads to it, with a dot at the end; empty at the top.
    path: String,
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Fields<'a> {
    /// The top-level struct; null decodes into an empty one.
    ///
    /// # Errors
    /// With Go's reason if the value is no object. `package` is that of the struct.
    pub(super) fn top(value: &'a Value, package: &str, name: &'static str) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self {
                name,
                path: String::new(),
                fields: Some(fields),
            }),
            Value::Null => Ok(Self {
                name,
                path: String::new(),
                fields: None,
            }),
            other => {
                let kind = kind(other);
                Err(format!(
                    "json: cannot unmarshal {kind} into Go value of type {package}.{name}"
                ))
            }
        }
    }

    /// A struct inside of `self`, reached through its field `field`.
    pub(super) fn inner(
        &self,
        field: &str,
        name: &'static str,
        fields: &'a Map<String, Value>,
    ) -> Self {
        Self {
            name,
            path: format!("{}{field}.", self.path),
            fields: Some(fields),
        }
    }

    /// The last field of this name, case not regarded; null counts as absent.
    pub(super) fn named(&self, field: &str) -> Option<&'a Value> {
        let fields = self.fields?;
        let same = fields
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(field));
        same.map(|(_, value)| value)
            .next_back()
            .filter(|value| !value.is_null())
    }

    /// A string; empty if absent.
    ///
    /// # Errors
    /// With Go's reason if it is something else.
    pub(super) fn text(&self, field: &str) -> Result<String, String> {
        match self.named(field) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(self.mismatch(field, other, "string")),
        }
    }

    /// A `float64`; zero if absent.
    ///
    /// # Errors
    /// With Go's reason if it is something else.
    pub(super) fn float(&self, field: &str) -> Result<f64, String> {
        match self.named(field) {
            None => Ok(0.0),
            Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or_default()),
            Some(other) => Err(self.mismatch(field, other, "float64")),
        }
    }

    /// An `int64`, if there.
    ///
    /// # Errors
    /// With Go's reason if it is something else.
    pub(super) fn integer(&self, field: &str) -> Result<Option<i64>, String> {
        match self.named(field) {
            None => Ok(None),
            Some(Value::Number(number)) if number.is_i64() => Ok(number.as_i64()),
            Some(Value::Number(number)) => {
                Err(self.message(field, &format!("number {number}"), "int64"))
            }
            Some(other) => Err(self.mismatch(field, other, "int64")),
        }
    }

    /// Go's `UnmarshalTypeError` for a field.
    pub(super) fn mismatch(&self, field: &str, value: &Value, wanted: &str) -> String {
        self.message(field, kind(value), wanted)
    }

    fn message(&self, field: &str, found: &str, wanted: &str) -> String {
        let Self { name, path, .. } = self;
        format!(
            "json: cannot unmarshal {found} into Go struct field {name}.{path}{field} of type {wanted}"
        )
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
