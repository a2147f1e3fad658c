//! The head of an upstream's response.

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::defect::{Defect, Defects};
use crate::fields;

/// What the request asked for, as far as the response's meaning depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A response with a body.
    Whole,
    /// A head without a body.
    HeadOnly,
    /// An upgrade.
    Upgrade,
}

/// The head of a final response, without hop-by-hop fields.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    /// Where it is not the usual one.
    pub(crate) reason: Option<ReasonPhrase>,
    pub(crate) fields: HeaderMap,
    pub(crate) framing: Framing,
    /// Whether the upstream goes on with the connection after it.
    pub(crate) persists: bool,
    /// What the upstream switches to or offers to switch to.
    pub(crate) upgrade: Option<HeaderValue>,
}

impl ResponseHead {
    /// Whether the client can tell the body's end by a length.
    pub(crate) const fn has_length(&self) -> bool {
        matches!(self.framing, Framing::Length(_))
    }
}

/// Where a response body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    /// Where the connection does.
    Close,
}

/// What stands at the beginning of the buffer.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// Not yet a whole head.
    Part,
    /// 100 Continue.
    Continue,
    /// Another interim response, as to be passed on.
    Interim(Vec<u8>),
    Final(Box<ResponseHead>),
}

/// The head makes no sense or is too long; says why.
pub(crate) type BadHead = &'static str;

/// Takes a head off the buffer.
pub(crate) fn parse(
    buffer: &mut BytesMut,
    asked: Asked,
    longest: usize,
    defects: Defects,
) -> Result<Parsed, BadHead> {
    let longest = if defects.has(Defect::SmallResponseHead) {
        longest.min(4 << 10)
    } else {
        longest
    };
    let Some(end) = end_of_head(buffer) else {
        return if buffer.len() <= longest {
            Ok(Parsed::Part)
        } else {
            Err("the upstream's head is too large")
        };
    };
    if end > longest {
        return Err("the upstream's head is too large");
    }
    let text = buffer.split_to(end).freeze();
    let mut few = [httparse::EMPTY_HEADER; USUAL_FIELDS];
    match understand(&text, &mut few, asked, defects) {
        Err(httparse::Error::TooManyHeaders) => {
            let mut many = vec![httparse::EMPTY_HEADER; MOST_FIELDS];
            understand(&text, &mut many, asked, defects).map_err(|_| MALFORMED)?
        }
        outcome => outcome.map_err(|_| MALFORMED)?,
    }
}

fn end_of_head(buffer: &mut BytesMut) -> Option<usize> {
    // Some programs send an empty line after a body.
    while buffer.starts_with(b"\r\n") {
        buffer.advance(2);
    }
    let line_ends = memchr::memchr_iter(b'\n', buffer);
    line_ends
        .map(|at| at + 1)
        .find_map(|next| match buffer[next..] {
            [b'\r', b'\n', ..] => Some(next + 2),
            [b'\n', ..] => Some(next + 1),
            _ => None,
        })
}

fn understand<'text>(
    text: &'text Bytes,
    space: &mut [httparse::Header<'text>],
    asked: Asked,
    defects: Defects,
) -> Result<Result<Parsed, BadHead>, httparse::Error> {
    let mut response = httparse::Response::new(space);
    if response.parse(text)?.is_partial() {
        return Ok(Err(MALFORMED));
    }
    let status = response
        .code
        .and_then(|code| StatusCode::from_u16(code).ok());
    let Some(status) = status else {
        return Ok(Err(MALFORMED));
    };
    if status == StatusCode::CONTINUE {
        return Ok(Ok(Parsed::Continue));
    }
    if status == StatusCode::SWITCHING_PROTOCOLS && asked != Asked::Upgrade {
        return Ok(Err("the upstream switched protocols unasked"));
    }
    if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Ok(Parsed::Interim(interim(&response))));
    }
    Ok(whole(text, &response, status, asked, defects).map(|head| Parsed::Final(Box::new(head))))
}

fn whole(
    text: &Bytes,
    response: &httparse::Response<'_, '_>,
    status: StatusCode,
    asked: Asked,
    defects: Defects,
) -> Result<ResponseHead, BadHead> {
    let mut gathered = Gathered::new(response.headers.len());
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| MALFORMED)?;
        let value =
            HeaderValue::from_maybe_shared(text.slice_ref(field.value)).map_err(|_| MALFORMED)?;
        gathered.add(name, value, defects)?;
    }
    let is_http_11 = response.version == Some(1);
    let framing = gathered.framing(status, asked, is_http_11)?;
    let persists = framing != Framing::Close && gathered.persists(is_http_11);
    gathered.strip_listed(defects);
    if framing != Framing::Chunked {
        gathered.fields.remove(TRAILER);
    }
    let usual = status.canonical_reason() == response.reason;
    let reason = response
        .reason
        .filter(|reason| !usual && !reason.is_empty());
    let reason = reason.and_then(|reason| ReasonPhrase::try_from(reason.as_bytes()).ok());
    Ok(ResponseHead {
        status,
        reason,
        fields: gathered.fields,
        framing,
        persists,
        upgrade: gathered.upgrade,
    })
}

/// Fields as they are sorted out.
struct Gathered {
    fields: HeaderMap,
    length: Option<u64>,
    /// Whether a transfer coding was named, and was it chunked alone.
    coding: Option<bool>,
    connection: Vec<HeaderValue>,
    upgrade: Option<HeaderValue>,
}

impl Gathered {
    fn new(fields: usize) -> Self {
        let fields = HeaderMap::with_capacity(fields);
        Self {
            fields,
            length: None,
            coding: None,
            connection: Vec::new(),
            upgrade: None,
        }
    }

    fn add(
        &mut self,
        name: HeaderName,
        value: HeaderValue,
        defects: Defects,
    ) -> Result<(), BadHead> {
        match name {
            CONTENT_LENGTH if self.length.is_some() => return Err("the upstream sent two lengths"),
            CONTENT_LENGTH => {
                self.length =
                    Some(length(value.as_bytes()).ok_or("the upstream sent a bad length")?);
                self.fields.append(name, value);
            }
            TRANSFER_ENCODING => {
                let alone =
                    self.coding.is_none() && value.as_bytes().eq_ignore_ascii_case(b"chunked");
                self.coding = Some(alone);
            }
            CONNECTION => self.connection.push(value),
            UPGRADE => self.upgrade = Some(value),
            name if name == "x-accel-buffering" && defects.has(Defect::HonourAccelBuffering) => {
                _ = self.fields.append(name, value)
            }
            name if name == "x-accel-redirect" && defects.has(Defect::ObeyAccelRedirect) => {
                _ = self.fields.append(name, value)
            }
            name if fields::is_hop_by_hop_of_response(name.as_str())
                && !defects.has(Defect::HopByHopAnswered) => {}
            name => _ = self.fields.append(name, value),
        }
        Ok(())
    }

    /// RFC 9112 section 6.3, but for a length beside a coding, which is refused.
    fn framing(
        &self,
        status: StatusCode,
        asked: Asked,
        is_http_11: bool,
    ) -> Result<Framing, BadHead> {
        if self.coding.is_some() && (self.length.is_some() || !is_http_11) {
            return Err("the upstream's framing is ambiguous");
        }
        if asked == Asked::HeadOnly
            || status.is_informational()
            || matches!(status.as_u16(), 204 | 304)
        {
            return Ok(Framing::Length(0));
        }
        match (self.coding, self.length) {
            (Some(true), _) => Ok(Framing::Chunked),
            (Some(false), _) => Err("the upstream used an unknown transfer coding"),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (None, None) => Ok(Framing::Close),
        }
    }

    fn persists(&self, is_http_11: bool) -> bool {
        let says = |word| {
            self.connection
                .iter()
                .any(|value| fields::has_token(value.as_bytes(), word))
        };
        if is_http_11 {
            !says(b"close")
        } else {
            says(b"keep-alive")
        }
    }

    fn strip_listed(&mut self, defects: Defects) {
        if defects.has(Defect::HopByHopAnswered) {
            return;
        }
        for value in &self.connection {
            for token in fields::tokens(value.as_bytes()) {
                let name = HeaderName::from_bytes(token).ok();
                if let Some(name) = name.filter(|name| !fields::is_end_to_end(name.as_str())) {
                    self.fields.remove(name);
                }
            }
        }
    }
}

/// RFC 9110 section 8.6: digits and nothing else.
fn length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn interim(response: &httparse::Response<'_, '_>) -> Vec<u8> {
    let code = response.code.unwrap_or_default();
    let mut head = format!(
        "HTTP/1.1 {code} {}\r\n",
        response.reason.unwrap_or_default()
    )
    .into_bytes();
    for field in response.headers.iter() {
        let name = field.name.to_ascii_lowercase();
        if fields::is_hop_by_hop_of_response(&name)
            || matches!(
                name.as_str(),
                "connection" | "upgrade" | "transfer-encoding" | "content-length"
            )
        {
            continue;
        }
        for piece in [field.name.as_bytes(), b": ", field.value, b"\r\n"] {
            head.extend_from_slice(piece);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

const MALFORMED: BadHead = "the upstream's answer is malformed";

/// Fields for which there is room without an allocation.
const USUAL_FIELDS: usize = 32;

/// More fields than this are not HTTP but an attack or a mistake.
const MOST_FIELDS: usize = 1000;
