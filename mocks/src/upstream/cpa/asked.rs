//! The body of a request to an AI route, as CPA reads it.

use bytes::Bytes;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::raw_fields::RawFields;
use crate::upstream::BodyError;

/// What CPA looks at in the JSON that a client sent; what cannot be read asks for the model "".
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The object's fields, but of `input` only what kind of value it is, and nothing that is larger than 256 KiB: a
    /// mock answers by script, and need not keep a conversation.
    pub(crate) json: Value,
    pub(crate) model: String,
    pub(crate) syntax: Syntax,
}

/// Whether a body is JSON at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Syntax {
    Valid,
    #[default]
    Broken,
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
    /// Reads `body`; leniently, so that a broken one may still name a model.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut fields = Map::new();
        let mut room = KEPT;
        for (name, raw) in RawFields::of(body) {
            let name = String::from_utf8_lossy(name).into_owned();
            if fields.contains_key(&name) {
                continue;
            }
            if let Some(value) = kept(&name, raw, &mut room) {
                fields.insert(name, value);
            }
        }
        let json = Value::Object(fields);
        let model = text_of(&json["model"]);
        Self {
            json,
            model,
            syntax: syntax_of(body),
        }
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
            Err(_) if syntax_of(&body) == Syntax::Valid => return Ok(body),
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
    // Go's decoder and this one agree on little but the commonest failure.
    let failed = |reason: String| Unreadable::Zstd {
        reason: match body.starts_with(&ZSTD_MAGIC) {
            true => reason,
            false => "invalid input: magic number mismatch".to_owned(),
        },
    };
    let mut decoded = Vec::new();
    let mut rest = body;
    // A body is one frame after the other (RFC 8878 section 3).
    loop {
        unframe(&mut rest, &mut decoded).map_err(failed)?;
        if decoded.len() as u64 > BODY_LIMIT {
            return Err(BodyError::TooLarge { limit: BODY_LIMIT }.into());
        }
        if rest.is_empty() {
            return Ok(decoded.into());
        }
    }
}

/// Decodes the first frame of `rest`, up to a byte above the limit, and leaves what follows it.
fn unframe(rest: &mut &[u8], decoded: &mut Vec<u8>) -> Result<(), String> {
    use std::io::Read as _;
    let mut frame = match StreamingDecoder::new(&mut *rest) {
        Ok(frame) => frame,
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
            length,
            ..
        })) => {
            *rest = usize::try_from(length)
                .ok()
                .and_then(|length| rest.get(length..))
                .ok_or("a skippable frame is cut off")?;
            return Ok(());
        }
        Err(error) => return Err(error.to_string()),
    };
    let room = (BODY_LIMIT + 1).saturating_sub(decoded.len() as u64);
    let read = (&mut frame).take(room).read_to_end(decoded);
    read.map_err(|error| error.to_string())?;
    let sums = &frame.decoder;
    if let Some(stated) = sums.get_checksum_from_data()
        && sums.is_finished()
        && sums.get_calculated_checksum() != Some(stated)
    {
        return Err("the checksum does not match".to_owned());
    }
    Ok(())
}

/// The text of a JSON value as CPA's reader (gjson) gives it.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A field's value, if there is room for it; of the conversation itself only its kind.
fn kept(name: &str, raw: &[u8], room: &mut usize) -> Option<Value> {
    if name == "input" {
        return Some(match raw.first()? {
            b'[' => Value::Array(Vec::new()),
            b'{' => Value::Object(Map::new()),
            _ => Value::String(String::new()),
        });
    }
    *room = room.checked_sub(raw.len())?;
    serde_json::from_slice(raw).ok()
}

fn syntax_of(body: &[u8]) -> Syntax {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Syntax::Valid,
        Err(_) => Syntax::Broken,
    }
}

/// How many bytes of a body's fields are kept together.
const KEPT: usize = 256 << 10;

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
    fn a_conversation_is_not_kept() {
        let input = "x".repeat(1 << 20);
        let body = format!(r#"{{"input":"{input}","big":"{input}","model":"m","stream":true}}"#);
        let asked = Asked::parse(body.as_bytes());
        assert_eq!((asked.model.as_str(), asked.syntax), ("m", Syntax::Valid));
        assert_eq!(asked.json["input"], "");
        assert_eq!(asked.json.get("big"), None);
        assert!(asked.streams());
    }

    #[test]
    fn codings_are_undone_from_the_right() {
        let plain = br#"{"model":"m-fast"}"#;
        let packed = packed(plain);
        let twice = Bytes::from(self::packed(&packed));
        assert_eq!(decode(packed.into(), "zstd").unwrap(), plain[..]);
        assert_eq!(decode(twice, "zstd, identity,ZSTD").unwrap(), plain[..]);
    }

    #[test]
    fn frames_follow_each_other_and_some_are_skipped() {
        let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
        let body = [&packed(b"{\"model\""), &skipped[..], &packed(b":1}")].concat();
        assert_eq!(decode(body.into(), "zstd").unwrap(), b"{\"model\":1}"[..]);
    }

    #[test]
    fn a_frame_that_is_cut_off_or_changed_is_refused() {
        let whole = packed(&b"a body of some length".repeat(9));
        for length in 0..whole.len() {
            let cut = Bytes::copy_from_slice(&whole[..length]);
            assert!(decode(cut, "zstd").is_err(), "{length} bytes");
        }
        let mut changed = whole;
        *changed.last_mut().unwrap() ^= 1;
        let refused = decode(changed.into(), "zstd").unwrap_err();
        assert!(refused.to_string().contains("checksum"), "{refused}");
    }

    fn packed(plain: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
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
