//! A request as the HTTP/2 library takes it, if it does.

use proxyproof_mocks::ledger::Field;

use super::error::ProbeError;
use super::outlet::header_map;
use super::request::Request;

/// The request as the library takes it; what it refuses, a raw connection can still send.
pub(super) fn message(request: &Request) -> Result<http::Request<()>, ProbeError> {
    let fields = request.h2_fields();
    let plain: Vec<Field> = fields
        .into_iter()
        .filter(|field| !field.name.starts_with(b":"))
        .collect();
    let headers = header_map(&plain)?;
    if let Some(name) = CONNECTION_SPECIFIC
        .iter()
        .find(|name| headers.contains_key(**name))
    {
        return Err(unsendable(format!(
            "HTTP/2 has no field `{name}` (RFC 9113 section 8.2.2)"
        )));
    }
    let method = http::Method::from_bytes(request.method())
        .map_err(|error| unsendable(format!("the method: {error}")))?;
    let target = request.target();
    // `#` starts a fragment, which the library would cut off silently.
    if !target.starts_with(b"/") && &target[..] != b"*" || target.contains(&b'#') {
        return Err(unsendable("the target is no path".to_owned()));
    }
    let path = http::uri::PathAndQuery::from_maybe_shared(target.clone())
        .map_err(|error| unsendable(format!("the target: {error}")))?;
    let mut uri = http::uri::Parts::default();
    if path.as_str().as_bytes() != &target[..] {
        return Err(unsendable("the target would be rewritten".to_owned()));
    }
    uri.path_and_query = Some(path);
    let Some(host) = request.host_name() else {
        return Err(unsendable("there is no :authority".to_owned()));
    };
    uri.scheme = Some(http::uri::Scheme::HTTPS);
    uri.authority = Some(
        http::uri::Authority::from_maybe_shared(host.clone())
            .map_err(|error| unsendable(format!("the authority: {error}")))?,
    );
    let uri = http::Uri::from_parts(uri).map_err(|error| unsendable(error.to_string()))?;
    let mut message = http::Request::new(());
    *message.method_mut() = method;
    *message.uri_mut() = uri;
    *message.version_mut() = http::Version::HTTP_2;
    *message.headers_mut() = headers;
    Ok(message)
}

impl Request {
    /// Whether only frames of our own can carry it over HTTP/2: the library refuses to write it, or would change it.
    #[must_use]
    pub fn needs_raw_frames(&self) -> bool {
        message(self).is_err()
    }
}

fn unsendable(reason: String) -> ProbeError {
    ProbeError::Unsendable { reason }
}

/// RFC 9113 section 8.2.2; `te: trailers` alone is allowed, and the library says so itself.
const CONNECTION_SPECIFIC: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];
