//! The TOML of a kind, and of the endpoints of a deployment.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{ClientAddress, EndpointRequest, Kind, KindLimits, Purpose, Signs, StandIn};
use crate::deployment::size;
use crate::document::{Document, DocumentError, nearest};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKind {
    name: String,
    about: String,
    #[serde(default)]
    stand_in: StandIn,
    endpoints: RawEndpoints,
    #[serde(default)]
    client_address: ClientAddress,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    signs: Signs,
    #[serde(default)]
    needs_websocket: bool,
    #[serde(default = "refused")]
    refuses_handshake_with: u16,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    request_body: Option<Spanned<String>>,
    read_timeout: Option<Spanned<String>>,
}

/// What most servers of Python answer a GET of a path that is a WebSocket's.
const fn refused() -> u16 {
    404
}

/// Requests by purpose: `"METHOD /path"`, a table with the media type of a streamed answer, or a list of these.
pub(crate) type RawEndpoints = BTreeMap<Spanned<String>, Spanned<Value>>;

/// How [`RawEndpoints`] are written.
pub(crate) fn endpoints_schema(generator: &mut SchemaGenerator) -> Schema {
    let purpose = generator.subschema_for::<Purpose>();
    let mut schema = BTreeMap::<String, WrittenRequests>::json_schema(generator);
    schema.insert("propertyNames".to_owned(), purpose.to_value());
    schema
}

/// A request, or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    reason = "a shape for schemas; what is read keeps its place in the text"
)]
enum WrittenRequests {
    One(WrittenRequest),
    Several(Vec<WrittenRequest>),
}

/// `METHOD /path`, with the media type of a streamed answer where it is not server-sent events.
#[derive(JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "a shape for schemas; what is read keeps its place in the text"
)]
enum WrittenRequest {
    Plain(String),
    Media { request: String, media: String },
}

/// Reads a kind.
pub(super) fn read(document: &Document) -> Result<Kind, DocumentError> {
    let raw: RawKind = document.parse()?;
    Ok(Kind {
        name: raw.name,
        about: raw.about,
        stand_in: raw.stand_in,
        endpoints: endpoints(document, &raw.endpoints)?,
        client_address: raw.client_address,
        limits: limits(document, &raw.limits)?,
        signs: raw.signs,
        needs_websocket: raw.needs_websocket,
        refuses_handshake_with: raw.refuses_handshake_with,
    })
}

fn limits(document: &Document, raw: &RawLimits) -> Result<KindLimits, DocumentError> {
    Ok(KindLimits {
        request_body: match &raw.request_body {
            Some(text) => Some(size::bytes_at(document, text)?),
            None => None,
        },
        read_timeout: match &raw.read_timeout {
            Some(text) => Some(size::time_at(document, text)?),
            None => None,
        },
    })
}

/// Reads requests by purpose.
pub(crate) fn endpoints(
    document: &Document,
    raw: &RawEndpoints,
) -> Result<BTreeMap<Purpose, Vec<EndpointRequest>>, DocumentError> {
    let mut endpoints = BTreeMap::new();
    for (purpose, requests) in raw {
        let named = purpose.get_ref().parse().map_err(|_unknown| {
            let names = Purpose::ALL.map(Purpose::name);
            let help = match nearest(purpose.get_ref(), names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("one of {}", names.join(", ")),
            };
            let message = format!("`{}` is no purpose of an endpoint", purpose.get_ref());
            document.error(purpose.span(), "here", message).help(help)
        })?;
        let several = match requests.get_ref() {
            Value::Array(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        };
        let read = several.iter().map(request).collect::<Result<Vec<_>, _>>();
        let read = read.map_err(|wrong| {
            document
                .error(requests.span(), "here", wrong)
                .help("as in `\"POST /v1/chat/completions\"`")
        })?;
        endpoints.insert(named, read);
    }
    Ok(endpoints)
}

fn request(value: &Value) -> Result<EndpointRequest, String> {
    let read = |text: &str| EndpointRequest::parse(text).map_err(|wrong| wrong.to_string());
    match value {
        Value::String(text) => read(text),
        Value::Table(table) => {
            let text = |key: &str| table.get(key).and_then(Value::as_str);
            let known = ["request", "media"];
            match (text("request"), text("media")) {
                (Some(request), Some(media)) if table.len() == known.len() => {
                    Ok(read(request)?.media(media))
                }
                _ => Err("a table of a request has `request` and `media`".to_owned()),
            }
        }
        other => Err(format!("a request is a text, not a {}", other.type_str())),
    }
}
