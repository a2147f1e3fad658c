//! The body of a request to an AI route, as CPA reads it.

use bytes::Bytes;
use serde_json::Value;

use crate::upstream::BodyError;

/// The JSON that a client sent; what cannot be read is `null`, and asks for the model "".
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) json: Value,
    pub(crate) model: String,
}

/// Why a body is refused before its model is looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("{0}")]
    Body(#[from] BodyError),
    #[error("unsupported request content encoding: {encoding}")]
    Encoding { encoding: String },
    #[error("failed to decode zstd request body: {reason}")]
    Zstd { reason: String },
}

/// Whether a route undoes the content coding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoding {
    /// `zstd` and `identity`; anything else is refused, unless it is JSON all the same.
    Zstd,
    /// The bytes are taken as they are.
    AsSent,
}

impl Asked {
    /// Reads `body`; its model leniently, so that a broken body may still name one.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let model = match &json {
            Value::Null => lenient_model(body).unwrap_or_default(),
            json => text_of(&json["model"]),
        };
        Self { json, model }
    }

    /// Whether `stream` is JSON's `true`: text and numbers do not count.
    pub(crate) fn streams(&self) -> bool {
        self.json["stream"] == Value::Bool(true)
    }

    /// Whether `stream` is anything but absent or `false`, as the messages route reads it.
    pub(crate) fn streams_leniently(&self) -> bool {
        self.json
            .get("stream")
            .is_some_and(|stream| *stream != Value::Bool(false))
    }

    /// Whether a provider that is less strict than CPA would take it for a wish to stream.
    pub(crate) fn streams_truthily(&self) -> bool {
        match self.json.get("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(stream)) => *stream,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(fields)) => !fields.is_empty(),
        }
    }
}

/// Undoes the content coding that `encoding` names, the last one first.
pub(crate) fn decode(body: Bytes, encoding: &str) -> Result<Bytes, Unreadable> {
    let mut decoded = body.clone();
    for coding in encoding.rsplit(',') {
        decoded = match undo(&decoded, &coding.trim().to_ascii_lowercase()) {
            Ok(decoded) => decoded,
            // A client may name a coding that a proxy has undone already.
            Err(_) if serde_json::from_slice::<Value>(&body).is_ok() => return Ok(body),
            Err(unreadable) => return Err(unreadable),
        };
    }
    Ok(decoded)
}

fn undo(body: &Bytes, coding: &str) -> Result<Bytes, Unreadable> {
    match coding {
        "" | "identity" => Ok(body.clone()),
        "zstd" => unzstd(body),
        other => Err(Unreadable::Encoding {
            encoding: other.to_owned(),
        }),
    }
}

fn unzstd(body: &[u8]) -> Result<Bytes, Unreadable> {
    use std::io::Read as _;
    // Go's decoder and this one agree on little but the commonest failure.
    let failed = |error: std::io::Error| Unreadable::Zstd {
        reason: match body.starts_with(&ZSTD_MAGIC) {
            true => error.to_string(),
            false => "invalid input: magic number mismatch".to_owned(),
        },
    };
    let mut decoded = Vec::new();
    zstd::Decoder::new(body)
        .map_err(failed)?
        .take(BODY_LIMIT + 1)
        .read_to_end(&mut decoded)
        .map_err(failed)?;
    if decoded.len() as u64 > BODY_LIMIT {
        return Err(BodyError::TooLarge { limit: BODY_LIMIT }.into());
    }
    Ok(decoded.into())
}

/// The text of a JSON value as CPA's reader (gjson) gives it.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The string after the first `"model":` of something that is not quite JSON.
fn lenient_model(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text
        .trim_start()
        .strip_prefix('{')?
        .split_once("\"model\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let (model, _) = rest.strip_prefix('"')?.split_once('"')?;
    Some(model.to_owned())
}

/// The largest body that is read, as sent and decoded, in bytes. CPA has no bound; a mock needs one.
pub(crate) const BODY_LIMIT: u64 = 128 << 20;

/// The first bytes of a Zstandard frame (RFC 8878 section 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_asks_for_no_model_or_for_the_one_it_names() {
        assert_eq!(Asked::parse(b"").model, "");
        assert_eq!(Asked::parse(b"{\"model\":").model, "");
        assert_eq!(Asked::parse(b"{\"model\":\"m-fast\",").model, "m-fast");
    }

    #[test]
    fn codings_are_undone_from_the_right() {
        let plain = br#"{"model":"m-fast"}"#;
        let packed = Bytes::from(zstd::encode_all(&plain[..], 3).unwrap());
        let twice = Bytes::from(zstd::encode_all(&packed[..], 3).unwrap());
        assert_eq!(decode(packed, "zstd").unwrap(), plain[..]);
        assert_eq!(decode(twice, "zstd, identity,ZSTD").unwrap(), plain[..]);
    }

    #[test]
    fn another_coding_is_refused_unless_the_body_is_json() {
        let plain = Bytes::from_static(b"{}");
        assert_eq!(decode(plain.clone(), "gzip").unwrap(), plain);
        let refused = decode(Bytes::from_static(b"\x1f\x8b"), "gzip").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "unsupported request content encoding: gzip"
        );
    }
}
