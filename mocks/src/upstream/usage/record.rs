//! The fields of a usage record, under any of the names that producers give them.

use serde_json::{Map, Value};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A record as JSON.
pub(super) struct Record<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Record<'a> {
    /// The first of these names that is there, whatever its value.
    pub(super) fn first(&self, names: &[&str]) -> Option<&'a Value> {
        names
            .iter()
            .find_map(|name| self.0.get(*name))
            .filter(|value| !value.is_null())
    }

    /// A string or a number as text, trimmed; empty if absent.
    pub(super) fn text(&self, names: &[&str]) -> String {
        match self.first(names) {
            None => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            // Rust and Go write a float64 without exponent alike.
            Some(Value::Number(number)) => number.as_f64().unwrap_or_default().to_string(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(other) => other.to_string(),
        }
    }

    /// A number, or a string of digits; zero if absent.
    pub(super) fn integer(&self, names: &[&str]) -> i64 {
        match self.first(names) {
            Some(Value::Number(number)) => as_integer(number),
            Some(Value::String(text)) => text.trim().parse().unwrap_or_default(),
            _ => 0,
        }
    }

    /// The same, `None` if absent.
    pub(super) fn optional_integer(&self, names: &[&str]) -> Option<i64> {
        self.first(names).map(|_| self.integer(names))
    }

    /// Whether the request failed: said outright, by its opposite, by a status, or by an error.
    pub(super) fn failed(&self) -> bool {
        if let Some(Value::Bool(failed)) = self.first(&["failed", "is_failed", "isFailed"]) {
            return *failed;
        }
        if let Some(Value::Bool(success)) = self.first(&["success", "ok"]) {
            return !success;
        }
        let status = self.integer(&[
            "status",
            "status_code",
            "statusCode",
            "http_status",
            "httpStatus",
        ]);
        status >= 400
            || self
                .first(&["error", "error_message", "errorMessage"])
                .is_some()
    }

    /// When it happened, now if it does not say: milliseconds since 1970 and RFC 3339 in UTC.
    pub(super) fn timestamp(&self) -> (i64, String) {
        let names = [
            "timestamp",
            "time",
            "created_at",
            "createdAt",
            "created",
            "request_time",
            "requestTime",
        ];
        let time = match self.first(&names) {
            Some(Value::Number(number)) => from_number(as_integer(number)),
            Some(Value::String(text)) => from_text(text.trim()),
            _ => None,
        };
        let time = time
            .unwrap_or_else(OffsetDateTime::now_utc)
            .to_offset(UtcOffset::UTC);
        let millis = i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        (millis, time.format(&Rfc3339).unwrap_or_default())
    }

    /// A count of tokens: in the nested object of tokens, else at the top.
    pub(super) fn tokens(&self, names: &[&str]) -> i64 {
        let nested = match self.first(&["tokens", "usage"]) {
            Some(Value::Object(nested)) => Record(nested).integer(names),
            _ => 0,
        };
        if nested == 0 {
            self.integer(names)
        } else {
            nested
        }
    }
}

/// Go's conversion of a `float64`: towards zero.
fn as_integer(number: &serde_json::Number) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the conversion is Go's own"
    )]
    number
        .as_i64()
        .unwrap_or_else(|| number.as_f64().unwrap_or_default() as i64)
}

/// Seconds, or milliseconds where seconds would be past the year 2286.
fn from_number(number: i64) -> Option<OffsetDateTime> {
    let millis = if number < 10_000_000_000 {
        number.checked_mul(1000)?
    } else {
        number
    };
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}

fn from_text(text: &str) -> Option<OffsetDateTime> {
    if let Ok(number) = text.parse() {
        return from_number(number);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(time);
    }
    WITHOUT_ZONE
        .iter()
        .find_map(|form| PrimitiveDateTime::parse(text, form).ok())
        .map(PrimitiveDateTime::assume_utc)
}

const WITHOUT_ZONE: [&[BorrowedFormatItem<'static>]; 2] = [
    format_description!(
        version = 2,
        "[year]-[month]-[day] [hour]:[minute]:[second][optional [.[subsecond]]]"
    ),
    format_description!(
        version = 2,
        "[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]"
    ),
];
