//! What is to be done with a request: checked against the site before anything is sent.

use std::borrow::Cow;

use http::header::{CONTENT_LENGTH, EXPECT, TRAILER, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Version};
use hyper::body::{Body, Incoming};
use hyper::ext::Protocol;

use crate::client::Refusal;
use crate::config::Site;
use crate::defect::{Defect, Defects};
use crate::host;
use crate::path::{PathError, normalise};
use crate::request::asks_for_websocket;
use crate::router::{Fit, Route};
use crate::target::forwarded;
use crate::upstream::RequestFraming;

/// What is to be done with a request.
pub(crate) struct Plan<'a> {
    pub(crate) route: Route,
    /// The deployment's name for the host.
    pub(crate) host: Cow<'a, str>,
    /// What goes into the request line.
    pub(crate) target: Cow<'a, [u8]>,
    pub(crate) framing: RequestFraming,
    /// Bytes of a body with a length.
    pub(crate) length: u64,
    pub(crate) upgrade: PlannedUpgrade,
    pub(crate) expects_continue: bool,
}

/// Whether the request is a WebSocket handshake, and in which protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlannedUpgrade {
    None,
    /// RFC 6455 over HTTP/1.1.
    Switch,
    /// RFC 8441 over HTTP/2.
    ExtendedConnect,
}

impl<'a> Plan<'a> {
    /// Checks a request.
    pub(crate) fn of(parts: &'a Parts, body: &Incoming, site: &'a Site) -> Result<Self, Refusal> {
        let upgrade = planned_upgrade(parts, site.defects)?;
        let host = host::of(parts, site)?;
        let path_and_query = path_and_query(parts);
        if path_and_query.len() > site.head.target_bytes {
            return Err(Refusal::TargetTooLong);
        }
        let (route, normalised) = route(parts, &path_and_query, site)?;
        let location = site.router.location(&route);
        let target = forwarded(parts, &path_and_query, &normalised, location, site.defects);
        let (framing, length) = framing(parts, body)?;
        check_fields(&parts.headers, &path_and_query, site)?;
        let limit = body_limit(site);
        if framing == RequestFraming::Length
            && length > limit
            && !site.defects.has(Defect::NoLengthLimit)
        {
            return Err(Refusal::ContentTooLarge);
        }
        Ok(Self {
            route,
            host,
            target: target.unwrap_or(match path_and_query {
                Cow::Borrowed(whole) => Cow::Borrowed(whole.as_bytes()),
                Cow::Owned(whole) => Cow::Owned(whole.into_bytes()),
            }),
            framing,
            length,
            upgrade,
            expects_continue: framing != RequestFraming::Empty && expects_continue(parts)?,
        })
    }
}

/// The site's limit in bytes.
pub(crate) fn body_limit(site: &Site) -> u64 {
    if site.defects.has(Defect::LowBodyLimit) {
        site.body_limit.min(1 << 20)
    } else {
        site.body_limit
    }
}

fn planned_upgrade(parts: &Parts, defects: Defects) -> Result<PlannedUpgrade, Refusal> {
    match (&parts.method, parts.extensions.get::<Protocol>()) {
        (&Method::CONNECT, Some(protocol)) if protocol.as_str() == "websocket" => {
            match defects.has(Defect::RefuseExtendedConnect) {
                true => Err(Refusal::UnknownProtocol),
                false => Ok(PlannedUpgrade::ExtendedConnect),
            }
        }
        (&Method::CONNECT, Some(_)) => Err(Refusal::UnknownProtocol),
        (&Method::CONNECT, None) => Err(Refusal::Method),
        // RFC 9110 section 9.3.8 makes TRACE echo fields that are none of a client's business.
        (&Method::TRACE, _) if !defects.has(Defect::ForwardTrace) => Err(Refusal::Method),
        _ if parts.version == Version::HTTP_11
            && asks_for_websocket(&parts.method, &parts.headers, defects) =>
        {
            Ok(PlannedUpgrade::Switch)
        }
        _ => Ok(PlannedUpgrade::None),
    }
}

/// The target in origin form, as the client sent it.
fn path_and_query(parts: &Parts) -> Cow<'_, str> {
    match parts.uri.path_and_query().map_or("/", PathAndQuery::as_str) {
        // RFC 9112 section 3.2.1: an absolute target may have a query without a path; the path is then a slash.
        query if query.starts_with('?') => Cow::Owned(format!("/{query}")),
        whole => Cow::Borrowed(whole),
    }
}

fn route<'a>(
    parts: &Parts,
    path_and_query: &'a str,
    site: &Site,
) -> Result<(Route, Cow<'a, [u8]>), Refusal> {
    let path = match path_and_query.split_once('?') {
        Some((path, _)) if !site.defects.has(Defect::QueryBreaksExact) => path,
        _ => path_and_query,
    };
    if !path.starts_with('/') {
        // `*`, which NGINX refuses too: there is no location for a server as a whole.
        return Err(Refusal::BadRequest("the target is no path"));
    }
    let normalised = normalise(path.as_bytes(), site.defects).map_err(|error| {
        Refusal::BadRequest(match error {
            PathError::Escape => "the path has a malformed escape",
            PathError::Nul => "the path has a NUL",
            PathError::AboveRoot => "the path climbs above the root",
        })
    })?;
    let mut route = site
        .router
        .route(&normalised, site.defects)
        .ok_or(Refusal::NoLocation)?;
    if site.defects.has(Defect::SwapUpstreams) && route.upstream < 2 && site.upstreams.len() > 1 {
        route.upstream = 1 - route.upstream;
    }
    if route.fit == Fit::Slashless && parts.method == Method::CONNECT {
        route.fit = Fit::Whole;
    }
    Ok((route, normalised))
}

fn framing(parts: &Parts, body: &Incoming) -> Result<(RequestFraming, u64), Refusal> {
    if let Some(coding) = parts.headers.get(TRANSFER_ENCODING) {
        // hyper takes any list that ends in chunked, and then the upstream would get a body in a coding nobody told it of.
        if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::UnknownCoding);
        }
    }
    if body.is_end_stream() {
        let says_none =
            |value: &http::HeaderValue| value.as_bytes().iter().all(|&digit| digit == b'0');
        return match parts.headers.get(CONTENT_LENGTH) {
            Some(length) if parts.method != Method::CONNECT && !says_none(length) => {
                Err(Refusal::BadRequest("the body is missing"))
            }
            _ => Ok((RequestFraming::Empty, 0)),
        };
    }
    match body.size_hint().exact() {
        // A body with a length cannot have the trailers that this field announces.
        Some(length) if !parts.headers.contains_key(TRAILER) => {
            Ok((RequestFraming::Length, length))
        }
        _ => Ok((RequestFraming::Chunked, 0)),
    }
}

fn check_fields(fields: &HeaderMap, target: &str, site: &Site) -> Result<(), Refusal> {
    // Which of two credentials counts, two programs can answer differently.
    if fields
        .get_all(http::header::AUTHORIZATION)
        .iter()
        .nth(1)
        .is_some()
    {
        return Err(Refusal::BadRequest("two credentials"));
    }
    let fields = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    // hyper looks at its own limit between two reads only: a head that comes with the last of them may be far longer.
    let most = match site.defects.has(Defect::SmallRequestHead) {
        true => 4 << 10,
        false => site.head.request_bytes,
    };
    if fields.sum::<usize>() + target.len() > most {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(())
}

fn expects_continue(parts: &Parts) -> Result<bool, Refusal> {
    match parts.headers.get(EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(Refusal::Expectation)
        }
        // hyper cannot pass 100 Continue on over HTTP/2, and HTTP/1.0 has none (RFC 9110 section 10.1.1).
        Some(_) => Ok(parts.version == Version::HTTP_11),
        None => Ok(false),
    }
}
