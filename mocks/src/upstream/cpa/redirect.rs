//! The redirect of a trailing slash, as gin and Go's `net/http` make it.

use super::answer::slash_redirect;
use crate::upstream::Request;
use crate::wire::http1::Response;

/// Redirects `request` to the decoded `path`, its query kept.
pub(crate) fn redirect(request: &Request, path: &str) -> Response {
    let prefix = request.first("X-Forwarded-Prefix").unwrap_or_default();
    let location = location(&prefix, path, &request.query());
    slash_redirect(request.method(), &location)
}

fn location(prefix: &str, path: &str, query: &str) -> String {
    let mut location = format!("{}{}", cleaned_prefix(prefix), escaped_path(path));
    if !query.is_empty() {
        location.push('?');
        location.push_str(query);
    }
    location
}

/// gin keeps letters, digits, `/` and `-` of `X-Forwarded-Prefix`, and single slashes.
fn cleaned_prefix(prefix: &str) -> String {
    let mut cleaned = String::new();
    for character in prefix.chars() {
        let kept = character.is_ascii_alphanumeric() || matches!(character, '/' | '-');
        if kept && !(character == '/' && cleaned.ends_with('/')) {
            cleaned.push(character);
        }
    }
    let cleaned = cleaned.trim_end_matches('/').to_owned();
    match cleaned.is_empty() || cleaned.starts_with('/') {
        true => cleaned,
        false => format!("/{cleaned}"),
    }
}

/// Go's escaping of a decoded path.
fn escaped_path(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => escaped.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'='
            | b'@' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_kept_and_the_path_escaped() {
        assert_eq!(location("", "/v1/models", "a=1"), "/v1/models?a=1");
        assert_eq!(location("", "/a b?", ""), "/a%20b%3F");
    }

    #[test]
    fn a_prefix_is_cleaned() {
        assert_eq!(location("/cpa", "/v1", ""), "/cpa/v1");
        assert_eq!(location("//cpa/<b>/", "/v1", ""), "/cpa/b/v1");
        assert_eq!(location("/", "/v1", ""), "/v1");
    }
}
