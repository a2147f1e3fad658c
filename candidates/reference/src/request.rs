//! The head of a request as the upstream gets it.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::{Identity, Scheme};
use crate::defect::{Defect, Defects};
use crate::fields::{Fate, fate, has_token, is_end_to_end, tokens};
use crate::upstream::RequestFraming;

/// All that a head is made of.
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a Method,
    /// Path and query as the client sent them.
    pub(crate) target: &'a [u8],
    /// The deployment's host name.
    pub(crate) host: &'a str,
    /// The client's address, as text.
    pub(crate) client: &'a str,
    /// How clients reach the site.
    pub(crate) identity: &'a Identity,
    /// The listener's port, for a defect.
    pub(crate) listener_port: u16,
    pub(crate) fields: &'a HeaderMap,
    pub(crate) framing: RequestFraming,
    /// Bytes of a body with a length.
    pub(crate) length: u64,
    pub(crate) upgrade: Option<Upgrade<'a>>,
    /// Whether the upstream is asked before the client sends its body.
    pub(crate) expects_continue: bool,
    pub(crate) defects: Defects,
}

/// What the upstream is asked to switch to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upgrade<'a> {
    pub(crate) token: &'a [u8],
    /// The handshake key, where the client's protocol has none (RFC 8441 section 5).
    pub(crate) key: Option<&'a str>,
}

impl RequestHead<'_> {
    /// The head as bytes.
    pub(crate) fn write(&self) -> Bytes {
        let mut text =
            BytesMut::with_capacity(USUAL_SIZE + self.target.len() + 48 * self.fields.len());
        let version = if self.defects.has(Defect::UpstreamHttp10) {
            b"HTTP/1.0"
        } else {
            b"HTTP/1.1"
        };
        put(
            &mut text,
            &[
                self.method_name(),
                b" ",
                self.target,
                b" ",
                version,
                b"\r\nHost: ",
                self.host.as_bytes(),
                b"\r\n",
            ],
        );
        self.put_identity(&mut text);
        self.put_fields(&mut text);
        self.put_framing(&mut text);
        self.put_connection(&mut text);
        text.put_slice(b"\r\n");
        text.freeze()
    }

    fn method_name(&self) -> &[u8] {
        match *self.method {
            // RFC 8441 section 5: the upstream sees an HTTP/1.1 handshake.
            Method::CONNECT => b"GET",
            Method::HEAD if self.defects.has(Defect::HeadAsGet) => b"GET",
            Method::GET | Method::HEAD | Method::OPTIONS => self.method.as_str().as_bytes(),
            _ if self.defects.has(Defect::MethodAsPost) => b"POST",
            _ => self.method.as_str().as_bytes(),
        }
    }

    /// The client as the tunnel named it: never what the client says of itself, as upstreams trust the leftmost address.
    fn put_identity(&self, text: &mut BytesMut) {
        let client = self.client.as_bytes();
        if !self.may_strip("x-real-ip") && !self.defects.has(Defect::NoRealIp) {
            put(
                text,
                &[
                    b"X-Real-IP: ",
                    self.claimed(Defect::KeepRealIp, "x-real-ip")
                        .unwrap_or(client),
                    b"\r\n",
                ],
            );
        }
        if !self.may_strip("x-forwarded-for") && !self.defects.has(Defect::NoForwardedFor) {
            self.put_appended(
                text,
                b"X-Forwarded-For: ",
                Defect::AppendForwardedFor,
                "x-forwarded-for",
                &[client],
            );
        }
        if !self.may_strip("x-forwarded-proto") && !self.defects.has(Defect::NoForwardedProto) {
            let scheme = if self.defects.has(Defect::PlainForwardedProto) {
                Scheme::Http
            } else {
                self.identity.scheme
            };
            let scheme = scheme.name().as_bytes();
            put(text, &[b"X-Forwarded-Proto: ", scheme, b"\r\n"]);
        }
        let host = self
            .claimed(Defect::KeepForwardedHost, "x-forwarded-host")
            .unwrap_or(self.host.as_bytes());
        put(
            text,
            &[b"X-Forwarded-Host: ", host, b"\r\nX-Forwarded-Port: "],
        );
        match self.defects.has(Defect::ListenerForwardedPort) {
            true => put(text, &[self.listener_port.to_string().as_bytes(), b"\r\n"]),
            false => put(text, &[self.identity.port.as_bytes(), b"\r\n"]),
        }
        if !self.may_strip("forwarded") {
            // RFC 7239 section 6: an IPv6 address is bracketed and hence quoted.
            let quoted = self.client.contains(':');
            let (open, close): (&[u8], &[u8]) = if quoted { (b"\"[", b"]\"") } else { (b"", b"") };
            let element = [
                b"for=",
                open,
                client,
                close,
                b";host=",
                self.host.as_bytes(),
                b";proto=",
                self.identity.scheme.name().as_bytes(),
            ];
            self.put_appended(
                text,
                b"Forwarded: ",
                Defect::KeepForwarded,
                "forwarded",
                &element,
            );
        }
    }

    /// A field with what the client sent before it, under the defect that keeps that.
    fn put_appended(
        &self,
        text: &mut BytesMut,
        name: &[u8],
        defect: Defect,
        field: &str,
        own: &[&[u8]],
    ) {
        text.put_slice(name);
        if self.defects.has(defect) {
            for value in self.fields.get_all(field) {
                put(text, &[value.as_bytes(), b", "]);
            }
        }
        put(text, own);
        text.put_slice(b"\r\n");
    }

    fn claimed(&self, defect: Defect, field: &str) -> Option<&[u8]> {
        let value = if self.defects.has(defect) {
            self.fields.get(field)
        } else {
            None
        };
        value.map(HeaderValue::as_bytes)
    }

    /// Whether a defect lets the client's Connection strip this field.
    fn may_strip(&self, field: &str) -> bool {
        self.defects.has(Defect::ConnectionStripsIdentity) && self.is_listed(field)
    }

    fn put_fields(&self, text: &mut BytesMut) {
        let mut cookies = Cookies::default();
        let has_connection = self.fields.contains_key(CONNECTION);
        for (name, value) in self.fields {
            let passes = match fate(name.as_str()) {
                Fate::Pass => !has_connection || !self.is_stripped(name),
                Fate::Cookie => {
                    cookies.add(self, value, text);
                    false
                }
                fate => self.passes_by_defect(fate, name),
            };
            if passes && !(self.defects.any() && self.is_lost(name, value)) {
                put(
                    text,
                    &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"],
                );
            }
        }
        cookies.end(text);
    }

    fn is_stripped(&self, name: &HeaderName) -> bool {
        self.is_listed(name.as_str())
            && !is_end_to_end(name.as_str())
            && !self.defects.has(Defect::ListedFieldsForwarded)
    }

    fn is_listed(&self, field: &str) -> bool {
        self.fields
            .get_all(CONNECTION)
            .iter()
            .any(|value| has_token(value.as_bytes(), field.as_bytes()))
    }

    fn passes_by_defect(&self, fate: Fate, name: &HeaderName) -> bool {
        match fate {
            Fate::HopByHop | Fate::Te => {
                self.defects.has(Defect::HopByHopForwarded) && *name != CONNECTION
            }
            Fate::Underscore => self.defects.has(Defect::PassUnderscoreFields),
            Fate::Spoofable if *name == "proxy" => self.defects.has(Defect::PassProxyField),
            Fate::Spoofable => self.defects.has(Defect::KeepSpoofableFields),
            _ => false,
        }
    }

    /// What the defects that lose fields lose.
    fn is_lost(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        let lost_by = match name.as_str() {
            "authorization" => Defect::DropAuthorization,
            "x-api-key" | "x-goog-api-key" => Defect::DropApiKey,
            "origin" => Defect::DropOrigin,
            "accept-encoding" => Defect::DropAcceptEncoding,
            "range" | "if-none-match" | "if-match" | "if-modified-since" | "if-range" => {
                Defect::DropRange
            }
            "content-type" => Defect::DropContentType,
            "sec-websocket-extensions" => Defect::DropExtensions,
            "sec-websocket-protocol" => Defect::DropSubprotocol,
            "user-agent" | "accept" | "host" => return self.is_repeated(name, value),
            other if other.starts_with("sec-websocket-") || other.starts_with("x-proxyproof-") => {
                return false;
            }
            _ => Defect::DropCustomFields,
        };
        self.defects.has(lost_by) || self.is_repeated(name, value)
    }

    fn is_repeated(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        let last = self.fields.get_all(name).iter().next_back();
        self.defects.has(Defect::DropRepeatedFields)
            && last.is_some_and(|last| !std::ptr::eq(last, value))
    }

    fn put_framing(&self, text: &mut BytesMut) {
        match self.framing {
            RequestFraming::Length => put(
                text,
                &[
                    b"Content-Length: ",
                    self.length.to_string().as_bytes(),
                    b"\r\n",
                ],
            ),
            RequestFraming::Chunked => text.put_slice(b"Transfer-Encoding: chunked\r\n"),
            // RFC 9110 section 8.6: a method that usually has content says so when it has none.
            RequestFraming::Empty
                if self.fields.contains_key(CONTENT_LENGTH) || self.usually_has_content() =>
            {
                text.put_slice(b"Content-Length: 0\r\n");
            }
            RequestFraming::Empty => (),
        }
        if self.expects_continue {
            text.put_slice(b"Expect: 100-continue\r\n");
        }
    }

    fn usually_has_content(&self) -> bool {
        matches!(*self.method, Method::POST | Method::PUT | Method::PATCH)
    }

    fn put_connection(&self, text: &mut BytesMut) {
        if let Some(Upgrade { token, key }) = self.upgrade {
            put(text, &[b"Upgrade: ", token, b"\r\nConnection: Upgrade\r\n"]);
            if let Some(key) = key {
                put(text, &[b"Sec-WebSocket-Key: ", key.as_bytes(), b"\r\n"]);
            }
        } else if self.defects.has(Defect::UpgradeAlways) {
            text.put_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\n");
        } else if self.defects.has(Defect::SendConnectionClose) {
            text.put_slice(b"Connection: close\r\n");
        } else if self
            .fields
            .get_all(TE)
            .iter()
            .any(|value| has_token(value.as_bytes(), b"trailers"))
        {
            // RFC 9110 section 10.1.4: TE goes with a Connection that lists it.
            text.put_slice(b"TE: trailers\r\nConnection: TE\r\n");
        }
    }
}

/// Cookie fields on their way into as few lines as HTTP/1.1 wants.
#[derive(Default)]
struct Cookies {
    line: BytesMut,
}

impl Cookies {
    fn add(&mut self, head: &RequestHead<'_>, value: &HeaderValue, text: &mut BytesMut) {
        let is_single = head.fields.get_all(COOKIE).iter().nth(1).is_none();
        if is_single {
            put(text, &[b"cookie: ", value.as_bytes(), b"\r\n"]);
            return;
        }
        let separator: &[u8] = if head.defects.has(Defect::MisjoinCookies) {
            b", "
        } else {
            b"; "
        };
        if !self.line.is_empty() {
            self.line.put_slice(separator);
        }
        self.line.put_slice(value.as_bytes());
    }

    fn end(self, text: &mut BytesMut) {
        if !self.line.is_empty() {
            put(text, &[b"cookie: ", &self.line, b"\r\n"]);
        }
    }
}

/// Whether the client asks for a WebSocket over HTTP/1.1, and for nothing that cannot be told from one.
pub(crate) fn asks_for_websocket(method: &Method, fields: &HeaderMap, defects: Defects) -> bool {
    let Some(upgrade) = fields.get(http::header::UPGRADE) else {
        return false;
    };
    let is_asked = fields
        .get_all(CONNECTION)
        .iter()
        .any(|value| has_token(value.as_bytes(), b"upgrade"));
    let is_websocket =
        tokens(upgrade.as_bytes()).any(|token| token.eq_ignore_ascii_case(b"websocket"));
    let is_possible = is_asked && *method == Method::GET && !defects.has(Defect::NeverUpgrade);
    is_possible && (is_websocket || defects.has(Defect::UpgradeAnyToken))
}

fn put(text: &mut BytesMut, pieces: &[&[u8]]) {
    for piece in pieces {
        text.put_slice(piece);
    }
}

/// Bytes of a head without its target and the client's fields.
const USUAL_SIZE: usize = 384;
