//! Heads on their way through the reverse proxy: what Go's transport sends, and what is for one hop only.

use std::borrow::Cow;

use super::setup::Setup;
use crate::ledger::Framing;
use crate::upstream::Request;
use crate::wire::http1::{AnswerHead, Response};

/// Whose key goes to CPA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    /// The saved management key, in place of the caller's.
    Saved,
    /// What the caller sent.
    Callers,
}

/// The request's head as Go's transport writes it.
pub(super) fn request_head(setup: &Setup, credentials: Credentials, request: &Request) -> String {
    let base = &setup.base_url;
    let mut target = join(base.path(), &request.raw_path());
    if !request.query().is_empty() {
        target.push('?');
        target.push_str(&request.query());
    }
    let mut head = format!(
        "{} {target} HTTP/1.1\r\nHost: {}\r\n",
        request.method(),
        base.authority()
    );
    let mut fields = outgoing_fields(setup, credentials, request);
    if let Some(at) = fields.iter().position(|(name, _)| name == "User-Agent") {
        push(&mut head, "User-Agent", &fields.remove(at).1);
    }
    match request.framing() {
        Framing::None if matches!(request.method(), "POST" | "PUT" | "PATCH") => {
            push(&mut head, "Content-Length", "0")
        }
        Framing::None => {}
        Framing::Length(length) => push(&mut head, "Content-Length", &length.to_string()),
        Framing::Chunked => push(&mut head, "Transfer-Encoding", "chunked"),
    }
    let plain = !fields
        .iter()
        .any(|(name, _)| name == "Accept-Encoding" || name == "Range");
    for (name, value) in &fields {
        push(&mut head, name, value);
    }
    if plain && request.method() != "HEAD" {
        push(&mut head, "Accept-Encoding", "gzip");
    }
    head.push_str("\r\n");
    head
}

fn outgoing_fields(
    setup: &Setup,
    credentials: Credentials,
    request: &Request,
) -> Vec<(String, String)> {
    let received = request
        .fields()
        .map(|(name, value)| (canonical(&lossy(name)), lossy(value)))
        .collect();
    let mut fields = end_to_end(received);
    fields.retain(|(name, _)| {
        !matches!(name.as_str(), "Host" | "Content-Length" | "X-Forwarded-For")
    });
    let mut forwarded: Vec<String> = request
        .all("X-Forwarded-For")
        .into_iter()
        .map(Cow::into_owned)
        .collect();
    forwarded.push(request.peer().ip().to_canonical().to_string());
    fields.push(("X-Forwarded-For".to_owned(), forwarded.join(", ")));
    if request.has_token("TE", "trailers") {
        fields.push(("Te".to_owned(), "trailers".to_owned()));
    }
    if request.has_token("Connection", "upgrade")
        && let Some(protocol) = request.first("Upgrade")
    {
        fields.push(("Connection".to_owned(), "Upgrade".to_owned()));
        fields.push(("Upgrade".to_owned(), protocol.into_owned()));
    }
    if credentials == Credentials::Saved {
        fields.retain(|(name, _)| name != "Authorization");
        fields.push((
            "Authorization".to_owned(),
            format!("Bearer {}", setup.management_key),
        ));
    }
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    fields
}

/// Drops the fields that are for one hop only, those that `Connection` names among them.
fn end_to_end(fields: Vec<(String, String)>) -> Vec<(String, String)> {
    let named: Vec<String> = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| {
            value
                .split(',')
                .map(|token| token.trim().to_ascii_lowercase())
        })
        .collect();
    let for_one_hop = |name: &str| {
        let name = name.to_ascii_lowercase();
        HOP_BY_HOP.contains(&name.as_str()) || named.contains(&name)
    };
    fields
        .into_iter()
        .filter(|(name, _)| !for_one_hop(name))
        .collect()
}

/// The answer's status and fields, without those that are for one hop only.
pub(super) fn response(answer: &AnswerHead) -> Response {
    let mut response = Response::new(answer.status);
    for (name, value) in end_to_end(received_fields(answer)) {
        response = response.field(name, value);
    }
    response
}

/// The fields of the answer as received, names in Go's case.
pub(super) fn received_fields(answer: &AnswerHead) -> Vec<(String, String)> {
    let fields = answer.raw.fields().into_iter();
    fields
        .map(|field| {
            (
                canonical(&lossy(&field.name)),
                lossy(field.value.trim_ascii()),
            )
        })
        .collect()
}

fn push(head: &mut String, name: &str, value: &str) {
    head.push_str(&format!("{name}: {value}\r\n"));
}

/// Go's `singleJoiningSlash`.
fn join(base: &str, path: &str) -> String {
    match (base.ends_with('/'), path.starts_with('/')) {
        (true, true) => format!("{base}{}", &path[1..]),
        (false, false) => format!("{base}/{path}"),
        _ => format!("{base}{path}"),
    }
}

/// Go's canonical case of a field name.
fn canonical(name: &str) -> String {
    let mut upper = true;
    let each = |byte: char| {
        let cased = if upper {
            byte.to_ascii_uppercase()
        } else {
            byte.to_ascii_lowercase()
        };
        upper = byte == '-';
        cased
    };
    name.chars().map(each).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
