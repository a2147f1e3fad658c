//! Which host a request is for.

use std::borrow::Cow;

use http::Version;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

use crate::client::Refusal;
use crate::config::Site;
use crate::defect::Defect;

/// The deployment's name for the host that the request is for.
pub(crate) fn of<'a>(parts: &'a Parts, site: &'a Site) -> Result<Cow<'a, str>, Refusal> {
    if let Some(other) = contradiction(parts, site) {
        return Ok(Cow::Borrowed(other));
    }
    let asked = asked(parts, site)?;
    match known(asked, site) {
        Some(_) if site.defects.has(Defect::ClientHost) => Ok(Cow::Borrowed(asked)),
        Some(_) if site.defects.has(Defect::KeepHostPort) => {
            Ok(Cow::Owned(asked.to_ascii_lowercase()))
        }
        Some(name) => Ok(Cow::Borrowed(name)),
        None if site.defects.has(Defect::ServeUnknownHost) => {
            Ok(Cow::Owned(bare(asked).to_ascii_lowercase()))
        }
        None => Err(Refusal::UnknownHost),
    }
}

/// The host as the client wrote it.
fn asked<'a>(parts: &'a Parts, site: &Site) -> Result<&'a str, Refusal> {
    let mut fields = parts.headers.get_all(HOST).iter();
    let field = fields.next().map(|value| {
        value
            .to_str()
            .map_err(|_| Refusal::BadRequest("the host is malformed"))
    });
    let field = field.transpose()?;
    if fields.next().is_some() && !site.defects.has(Defect::IgnoreHostMismatch) {
        return Err(Refusal::BadRequest("two hosts"));
    }
    match (parts.uri.authority().map(Authority::as_str), field) {
        // RFC 9113 section 8.3.1; in HTTP/1.1 an absolute target overrides Host (RFC 9112 section 3.2.2).
        (Some(authority), Some(field))
            if parts.version == Version::HTTP_2 && !is_same(authority, field) =>
        {
            Err(Refusal::BadRequest("two hosts"))
        }
        (Some(authority), _) if authority.contains('@') => {
            Err(Refusal::BadRequest("the target names a user"))
        }
        (Some(authority), _) => Ok(authority),
        (None, Some(field)) => Ok(field),
        (None, None) if parts.version == Version::HTTP_10 => Err(Refusal::UnknownHost),
        (None, None) => Err(Refusal::BadRequest("no host")),
    }
}

/// The unknown one of two differing hosts, under the defect that checks the other.
fn contradiction<'a>(parts: &'a Parts, site: &Site) -> Option<&'a str> {
    if !site.defects.has(Defect::IgnoreHostMismatch) {
        return None;
    }
    let fields = parts
        .headers
        .get_all(HOST)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hosts: Vec<&str> = parts
        .uri
        .authority()
        .map(Authority::as_str)
        .into_iter()
        .chain(fields)
        .collect();
    let is_served = hosts.iter().any(|host| known(host, site).is_some());
    hosts
        .into_iter()
        .find(|host| is_served && known(host, site).is_none())
}

fn known<'a>(host: &str, site: &'a Site) -> Option<&'a str> {
    site.server_names
        .iter()
        .map(|name| &**name)
        .find(|name| is_same(name, host))
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || bare(one).eq_ignore_ascii_case(bare(other))
}

/// A host without its port and the root's dot.
fn bare(host: &str) -> &str {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => host,
    };
    bare.strip_suffix('.').unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn case_port_and_the_roots_dot_do_not_matter() {
        for host in [
            "API.example.org",
            "api.example.org.",
            "api.example.org:8443",
            "api.example.org.:443",
        ] {
            assert!(is_same("api.example.org", host), "{host}");
        }
        for host in [
            "api.example.org.evil",
            "api.example.orgx",
            "api.example.org:x",
            "",
            ":",
            "[::1]:80",
        ] {
            assert!(!is_same("api.example.org", host), "{host}");
        }
        assert!(is_same("[::1]", "[::1]:8443") && is_same("[::1]", "[::1]"));
        assert!(!is_same("[::1]", "[::2]") && !is_same("[::1]", "::1"));
    }
}
